"""Shops' feeds: what becomes an offer, what a broken row, and what is no feed at all."""

from __future__ import annotations

import contextlib
import gzip
import re
import tracemalloc
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.errors import FeedError, UsageError
from mapsi.placeholders import stands_for_nothing
from mapsi.providers import FORMATS, naver_ep, read_offers
from mapsi.providers.arrivals import watched
from mapsi.providers.arrivals.encoding import MAX_BYTES, open_text
from mapsi.providers.rows.addresses import parse_image, parse_link
from mapsi.providers.rows.bad_field import BadFieldError
from mapsi.providers.rows.fields import parse_audience, parse_availability
from mapsi.providers.rows.prices import parse_price
from mapsi.providers.rows.rows import FIELDS
from mapsi.providers.rows.texts import plain
from mapsi.providers.table import MAX_LINE
from written_feeds import (
    DRESS,
    SHIRT,
    SHIRT_OFFER,
    WRITERS,
    Read,
    Row,
    atom,
    every_writer,
    only_offer,
    only_reason,
    rss,
    table,
)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return Read(tmp_path)


# --- one catalogue, four formats -------------------------------------------------------------------------------------


@every_writer
def test_the_same_catalogue_comes_out_of_every_format(
    read: Read, format: str, write: Callable[[Iterable[Row]], str]
) -> None:
    assert read(write([SHIRT, DRESS]), format) == [
        SHIRT_OFFER,
        Offer(
            id="B/2",
            title='Dress "Été", 5 < 6',
            description="Line one line two; with, every delimiter",
            link="https://shop.example/p/2",
            image="photos/2.png",
            price=Decimal("12.50"),
            currency="USD",
            sale_price=Decimal("9.99"),
            availability="out_of_stock",
            brand="H&M",
            category="Women > Dresses",
            color="red/white",
            group="G2",
            audience="women",
            google_category="2271",
            gtin="8801234567893",
            mpn="GO12345",
        ),
    ]


@every_writer
def test_a_packed_feed_is_unpacked(read: Read, format: str, write: Callable[[Iterable[Row]], str]) -> None:
    assert read(gzip.compress(write([SHIRT]).encode()), format) == [SHIRT_OFFER]


def test_an_unknown_format_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no format 'xlsx'"):
        read_offers("xlsx", tmp_path / "none")
    assert set(FORMATS) == {"merchant", "naver-ep", "shop-json", "csv"}


def test_reading_is_lazy_and_memory_stays_flat(tmp_path: Path) -> None:
    file = tmp_path / "feed.xml"
    many = 4000
    file.write_text(rss({**SHIRT, "id": f"A{n}", "description": "긴 글 " * 400} for n in range(many)))
    tracemalloc.start()
    assert sum(1 for item in read_offers("merchant", file) if isinstance(item, Offer)) == many
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert file.stat().st_size > 10_000_000
    assert peak < 2_500_000


MANUAL = (Path(__file__).parents[1] / "docs" / "feeds.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("kind", "number", "format"),
    [
        ("xml", 0, "merchant"),
        ("xml", 1, "merchant"),
        ("xml", 2, "merchant"),
        ("tsv", 0, "merchant"),
        ("csv", 0, "csv"),
        ("ep", 0, "naver-ep"),
    ],
)
def test_the_manuals_examples_are_read(read: Read, kind: str, number: int, format: str) -> None:
    examples = re.findall(rf"```{kind}\n(.*?)```", MANUAL, re.DOTALL)
    offer = only_offer(read(examples[number], format))
    assert (offer.id, offer.title, offer.price, offer.currency) == ("A-1", "린넨 셔츠", Decimal(29000), "KRW")


def test_the_manual_names_every_field_that_is_read() -> None:
    assert not [name for name in FIELDS if f"`{name}`" not in MANUAL]
    assert not [name for name in naver_ep.KNOWN - set(naver_ep.CATEGORIES) if f"`{name}`" not in MANUAL]
    assert not [ending for ending in watched.SUFFIXES if f"`{ending}`" not in MANUAL]


def test_one_text_of_many_megabytes_does_not_fill_the_memory(tmp_path: Path) -> None:
    file = tmp_path / "feed.xml"
    file.write_text(rss([{**SHIRT, "description": "x" * 20_000_000}]))
    tracemalloc.start()
    offer = only_offer(list(read_offers("merchant", file)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(offer.description) == 5000
    assert peak < 2_500_000


LIMIT = 5 << 20


def length_of(file: Path, max_bytes: int) -> int:
    with open_text(file, max_bytes) as text:
        return sum(len(piece) for piece in iter(lambda: text.read(1 << 16), ""))


@pytest.mark.parametrize("pack", [gzip.compress, bytes])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "cp949"])
def test_a_feed_is_given_up_at_the_limit_in_whatever_encoding(
    tmp_path: Path, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    file = tmp_path / "feed"
    beginning = "<rss>가".encode(encoding)
    blanks = " ".encode(encoding.removesuffix("-sig").replace("utf-16", "utf-16-le").replace("utf-32", "utf-32-le")[:9])
    rest = LIMIT - len(beginning)
    file.write_bytes(pack(beginning + blanks * (rest // len(blanks))))
    assert length_of(file, LIMIT) == len("<rss>가") + rest // len(blanks)
    file.write_bytes(pack(beginning + blanks * (rest // len(blanks) + 1)))
    tracemalloc.start()
    with pytest.raises(FeedError, match="larger than 5,242,880 bytes"):
        length_of(file, LIMIT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000


def test_four_gibibytes_of_a_feed_are_read(tmp_path: Path) -> None:
    assert MAX_BYTES == 4 << 30
    file = tmp_path / "feed"
    with file.open("wb") as sparse:  # takes no room on the disk
        sparse.write(b"\xef\xbb\xbf<rss>")
        sparse.truncate(MAX_BYTES + 1)
    with open_text(file) as text:
        text.buffer.seek(MAX_BYTES)
        with pytest.raises(FeedError, match="larger than 4 GiB"):
            text.buffer.read(1)


# --- encodings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp949"])
@every_writer
def test_marks_and_korean_bytes_tell_the_encoding(
    read: Read, format: str, write: Callable[[Iterable[Row]], str], encoding: str
) -> None:
    assert read(write([SHIRT]).encode(encoding), format) == [SHIRT_OFFER]


@pytest.mark.parametrize("mark", [b"\xff\xfe", b""])
def test_utf16_is_read_with_and_without_a_mark(read: Read, mark: bytes) -> None:
    assert read(mark + rss([SHIRT]).encode("utf-16-le")) == [SHIRT_OFFER]


@pytest.mark.parametrize("declared", ["EUC-KR", "euc-kr", "CP949", "utf-8", "UTF-8"])
def test_a_declared_korean_encoding_is_read_even_where_the_declaration_lies(read: Read, declared: str) -> None:
    feed = rss([{**SHIRT, "title": "똠방각하 셔츠"}]).replace(
        'version="1.0"', f'version="1.0" encoding="{declared}"', 1
    )
    assert only_offer(read(feed.encode("cp949"))).title == "똠방각하 셔츠"
    assert only_offer(read(feed.encode("utf-8"))).title == "똠방각하 셔츠"


def test_a_declared_western_encoding_is_honoured(read: Read) -> None:
    feed = rss([{**SHIRT, "title": "Été", "description": ""}]).replace("?>", ' encoding="ISO-8859-1"?>', 1)
    assert only_offer(read(feed.encode("latin-1"))).title == "Été"


def test_korean_letters_that_come_late_are_still_read(read: Read) -> None:
    rows = [{**SHIRT, "id": f"B{n}", "title": "Shirt", "description": "x" * 1000} for n in range(1000)]
    found = read(table([*rows, SHIRT]).encode("cp949"), "csv")
    assert found[-1] == SHIRT_OFFER


@pytest.mark.parametrize(
    "feed",
    [
        b"id,title,link,image_link,price\n\xff\xff,\xfe\n",
        b'<?xml version="1.0" encoding="x-mac-klingon"?><rss>\xd4</rss>',
    ],
)
def test_an_encoding_that_nobody_knows_is_reported(read: Read, feed: bytes) -> None:
    with pytest.raises(FeedError, match=r"UTF-8 nor in CP949|not known"):
        read(feed)


# --- markup ----------------------------------------------------------------------------------------------------------


def item(inner: str) -> str:
    return rss([SHIRT]).replace("</item>", f"{inner}</item>")


def test_prefixed_names_win_over_bare_ones_wherever_they_stand(read: Read) -> None:
    bare = "<id>bare</id><title>bare</title><link>https://bare.example/</link><price>1 KRW</price>"
    assert read(item(bare)) == [SHIRT_OFFER]
    assert read(rss([SHIRT]).replace("<item>", f"<item>{bare}")) == [SHIRT_OFFER]
    assert read(rss([SHIRT]).replace("<item>", "<item><g:title/><title>bare</title><g:title> </g:title>")) == [
        SHIRT_OFFER
    ]


def test_the_prefix_is_what_the_feed_says_and_g_even_unsaid(read: Read) -> None:
    other = rss([SHIRT], prefix="shop:").replace("xmlns:g", "xmlns:shop")
    assert read(other) == [SHIRT_OFFER]
    assert read(rss([SHIRT]).replace(' xmlns:g="http://base.google.com/ns/1.0"', "")) == [SHIRT_OFFER]


def test_other_namespaces_and_nested_fields_change_nothing(read: Read) -> None:
    extra = (
        '<media:title xmlns:media="http://search.example/mrss/">no</media:title><dc:price>1 KRW</dc:price>'
        "<g:shipping><g:country>KR</g:country><g:price>2500 KRW</g:price><g:id>no</g:id></g:shipping>"
        '<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="self" href="https://no.example/"/>'
    )
    assert read(item(extra)) == [SHIRT_OFFER]
    assert read(rss([SHIRT]).replace("<item>", f"<item>{extra}")) == [SHIRT_OFFER]


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("<![CDATA[<b>린넨</b>셔츠 & <i>바지</i>]]>", "린넨셔츠 & 바지"),
        ("&lt;b&gt;린넨&lt;/b&gt;셔츠", "린넨셔츠"),
        ("&amp;lt;b&amp;gt;린넨&amp;lt;/b&amp;gt; &amp;amp;amp; 셔츠", "린넨 & 셔츠"),
        ("<![CDATA[one<br/>two<p class='x'>three</p>]]>", "one two three"),
        ("one<br/>two <b>th</b>ree", "one two three"),
        ("<![CDATA[a<script>alert('x')</script>b<!-- <b> -->c<style>", "a b c"),
        ("a &lt; b, 5 &lt;3 &amp;quot;x&amp;quot;", 'a < b, 5 <3 "x"'),
        ("Caf&#233;&#8203; &amp;nbsp; noir&#10;", "Café noir"),
        ("H&amp;M &amp; Co", "H&M & Co"),
    ],
)
def test_texts_come_out_plain_however_they_were_escaped(read: Read, written: str, title: str) -> None:
    if written.endswith("<style>"):
        written += "]]>"
    feed = rss([SHIRT]).replace("<g:title>린넨 셔츠</g:title>", f"<g:title>{written}</g:title>")
    assert only_offer(read(feed)).title == title


def test_a_doubly_escaped_link_is_mended(read: Read) -> None:
    assert only_offer(read(rss([{**SHIRT, "link": "https://shop.example/p/1?a=1&amp;b=2"}]))) == SHIRT_OFFER


def test_blank_lines_before_the_declaration_are_forgiven_and_counted(read: Read) -> None:
    found = read("\n \n" + rss([{**SHIRT, "price": ""}]))
    assert found == [BrokenRow(6, "The row has no price.")]


BOMB = '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>'


@pytest.mark.parametrize(
    "doctype",
    [
        BOMB,
        "<!DOCTYPE rss [<!ELEMENT rss ANY>]>",
        "<!DOCTYPE rss>",
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
def test_a_feed_that_declares_entities_is_refused(read: Read, doctype: str) -> None:
    feed = rss([{**SHIRT, "title": "NAME"}]).replace("?>", f"?>{doctype}", 1).replace("NAME", "&lol2;&a;")
    with pytest.raises(FeedError, match="entity declarations"):
        read(feed)


def test_one_endless_tag_is_refused_in_little_time(read: Read) -> None:
    with pytest.raises(FeedError, match="single tag"):
        read("<rss><channel><item " + "x" * 30_000_000)


@pytest.mark.parametrize("inside", ["", "<channel><item>", "<channel><item><description>"])
def test_tags_within_tags_without_end_cost_neither_time_nor_memory(read: Read, inside: str) -> None:
    feed = gzip.compress(f"<rss>{inside}".encode() + b"<a>" * 3_000_000)
    tracemalloc.start()
    _, error = read.until_error(feed)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "more than 100 deep" in error.message
    assert peak < 2_500_000


# --- tables ----------------------------------------------------------------------------------------------------------


def test_column_names_come_in_any_order_and_spelling(read: Read) -> None:
    feed = "Price\tG:ID\timage link\tTITLE\tlink\tunknown\n29000\tA1\timg/1.jpg\t린넨 셔츠\thttps://shop.example/\t?\n"
    assert only_offer(read(feed)).image == "img/1.jpg"


def test_empty_columns_at_the_end_may_be_left_out_or_be_too_many(read: Read) -> None:
    feed = table([{**SHIRT, "color": "", "brand": ""}]).rstrip("\n,")
    assert read(feed + "\n", "csv") == [SHIRT_OFFER]
    assert read(feed + ",,,,,\n", "csv") == [SHIRT_OFFER]


def test_a_row_with_more_columns_than_names_is_broken(read: Read) -> None:
    found = read(table([SHIRT]).rstrip("\n") + ",more\n" + table([{**SHIRT, "id": "A2"}]).split("\n", 1)[1], "csv")
    assert found[0] == BrokenRow(2, "The row has 7 columns, the header 6.")
    assert isinstance(found[1], Offer)


def test_inch_marks_inside_a_tsv_are_just_characters(read: Read) -> None:
    feed = 'id\ttitle\tlink\timage_link\tprice\nA1\t15" 노트북 파우치\thttps://shop.example/\ta.jpg\t100\n'
    assert only_offer(read(feed)).title == '15" 노트북 파우치'


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_with_every_line_end(read: Read, end: str) -> None:
    header, *rows = table(
        [{**SHIRT, "description": "a\nb"}, {**SHIRT, "id": ""}, {**SHIRT, "id": "A3", "price": "?"}]
    ).split("\n")
    feed = end.join(["", header, "", *rows])
    assert [row.line for row in read(feed, "csv") if isinstance(row, BrokenRow)] == [6, 7]


# --- broken rows -----------------------------------------------------------------------------------------------------


@every_writer
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        *[({name: ""}, f"no {name}") for name in ("id", "title", "link", "image_link", "price")],
        ({"id": "x" * 51}, "longer than 50"),
        ({"id": "a\u202eb"}, "cannot be printed"),
        ({"title": "<b></b>"}, "nothing but markup"),
        ({"price": "gratis"}, "'gratis' is not a price"),
        ({"price": "-5 KRW"}, "not a price"),
        ({"price": "0 KRW"}, "zero"),
        ({"price": "15000 XQX"}, "not a price"),
        ({"link": "/p/1"}, "not an absolute http"),
        ({"link": "javascript:alert(1)"}, "not an absolute http"),
        ({"link": "https://user@shop.example/"}, "not an absolute http"),
        ({"image_link": "../secret.jpg"}, "nor a path beside the feed"),
        ({"image_link": "file:///etc/passwd"}, "not an absolute http"),
        ({"availability": "perhaps"}, "'perhaps' is not known"),
    ],
)
def test_a_broken_row_says_why_and_the_others_stay(
    read: Read, format: str, write: Callable[[Iterable[Row]], str], change: Row, reason: str
) -> None:
    if change == {"id": ""} and write is atom:
        change = {"id": " "}
    found = read(write([{**SHIRT, **change}, {**SHIRT, "id": "A2"}]), format)
    if write is atom and "id" in change and not change["id"].strip():
        assert [type(each) for each in found] == [Offer, Offer]  # Atom's own id stands in
        return
    broken, whole = found
    assert isinstance(broken, BrokenRow)
    assert reason in broken.reason
    assert broken.reason.endswith(".")
    assert isinstance(whole, Offer)


def test_of_rows_with_one_id_the_first_whole_one_counts(read: Read) -> None:
    found = read(table([{**SHIRT, "price": "?"}, SHIRT, {**SHIRT, "title": "다른 것"}]), "csv")
    assert [type(each) for each in found] == [BrokenRow, Offer, BrokenRow]
    assert found[2] == BrokenRow(4, "The id 'A1' appears in the feed more than once; the first one counts.")


@pytest.mark.parametrize("write", [rss, lambda rows: rss(rows).replace("\n", "\r\n")])
def test_a_broken_item_is_named_by_the_line_of_its_tag(read: Read, write: Callable[[Iterable[Row]], str]) -> None:
    rows = [{**SHIRT, "id": f"A{n}", "price": "?" if n % 7 == 3 else "5"} for n in range(5000)]
    feed = write(rows)
    lines = [number for number, line in enumerate(feed.splitlines(), 1) if "<item>" in line]
    assert [row.line for row in read(feed) if isinstance(row, BrokenRow)] == lines[3::7]


def test_long_texts_are_cut_not_refused(read: Read) -> None:
    offer = only_offer(read(rss([{**SHIRT, "title": "가" * 500, "description": "나" * 90_000, "id": "x" * 50}])))
    assert (len(offer.title), len(offer.description), len(offer.id)) == (150, 5000, 50)


# --- broken feeds ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("feed", "message"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n", "empty"),
        (b"\n" * 100_000, "empty|does not name"),
        (b"<!DOCTYPE html><html><body>Log in</body></html>", "web page"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "picture"),
        (gzip.compress(b"", mtime=0), "empty"),
        (b"\x1f\x8bnot gzip at all", "damaged"),
    ],
)
def test_what_is_no_feed_is_told_by_name(read: Read, format: str, feed: bytes, message: str) -> None:
    with pytest.raises(FeedError, match=message):
        read(feed, format)


@pytest.mark.parametrize("format", ["merchant", "csv"])
@pytest.mark.parametrize(
    ("feed", "message"),
    [
        (b"hello\n", "does not name these columns: id, title, link, image_link, price"),
        (b"id,title,price,link\n1,2,3,4\n", "does not name these columns: image_link"),
        (b"id\ttitle\tprice\tlink\timage_link\n", "has no rows"),
        (b"id,title,price,link,image_link\n" + b"x" * (MAX_LINE + 1), "characters"),
    ],
)
def test_what_is_no_table_is_told_by_name(read: Read, format: str, feed: bytes, message: str) -> None:
    with pytest.raises(FeedError, match=message):
        read(feed, format)


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        ("<rss><channel></channel></rss>", "has no items"),
        ("<opml><item/></opml>", "neither RSS nor Atom"),
        ("<?xml version='1.0'?><!DOCTYPE html><html xmlns='x'/>", "web page"),
        ("<!-- a --><!-- b --><x:html/>", "neither RSS nor Atom"),
        ("<rss><channel></rss>", "not well-formed XML in line 1"),
        ("<rss/><rss/>", "after its end"),
        ("<rss>&undefined;</rss>", "has no items"),
    ],
)
def test_markup_that_is_no_feed_is_told_by_name(read: Read, feed: str, message: str) -> None:
    with pytest.raises(FeedError, match=message):
        read(feed)


def test_a_missing_file_is_told_by_name(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(FeedError, match="cannot be read"):
            list(read_offers("csv", path))


@pytest.mark.parametrize("write", [rss, atom])
def test_markup_that_breaks_off_gives_what_came_before_and_then_an_error(
    read: Read, write: Callable[[Iterable[Row]], str]
) -> None:
    feed = write({**SHIRT, "id": f"A{n}"} for n in range(3))
    end = feed.rstrip().rindex(">")
    for cut in range(feed.index("Shop"), end, 7):
        found, error = read.until_error(feed[:cut])
        assert len(found) == feed[:cut].count("</item>") + feed[:cut].count("</entry>")
        assert "is cut off" in error.message


def test_markup_that_breaks_off_after_much_gives_all_that_came_before(read: Read) -> None:
    feed = rss({**SHIRT, "id": f"A{n}"} for n in range(2000))
    found, error = read.until_error(feed[: feed.rindex("<g:price>")])
    assert len(found) == 1999
    assert "is cut off" in error.message


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_a_table_that_breaks_off_inside_a_row_is_an_error(read: Read, delimiter: str) -> None:
    feed = table([{**SHIRT, "id": "A0"}, {**SHIRT, "id": "A1"}], delimiter)
    last = feed.rstrip("\n").rindex("\n") + 1
    for cut in range(last + 1, feed.rindex(delimiter)):
        found, error = read.until_error(feed[:cut])
        assert found == [replace(SHIRT_OFFER, id="A0")]
        assert "is cut off in line 3" in error.message


def test_a_whole_last_row_needs_no_line_end(read: Read) -> None:
    assert read(table([SHIRT]).rstrip("\n"), "csv") == [SHIRT_OFFER]


@pytest.mark.parametrize("end", ["", "\n", "\nmore lines\nthat follow\n"])
def test_a_quotation_that_never_ends_is_a_feed_that_breaks_off(read: Read, end: str) -> None:
    feed = table([SHIRT]) + 'A2,셔츠,글,https://shop.example/,a.jpg,"100' + end
    found, error = read.until_error(feed, "csv")
    assert found == [SHIRT_OFFER]
    assert "is cut off in line 3" in error.message


def test_a_quotation_that_swallows_the_file_costs_its_row(read: Read) -> None:
    rows = table({**SHIRT, "id": f"B{n}"} for n in range(3000)).split("\n", 1)[1]
    found = read(table([SHIRT]) + 'A2,"open,글,https://shop.example/,a.jpg,100\n' + rows, "csv")
    assert found[1] == BrokenRow(3, "The row has an unmatched quotation mark.")
    assert found[:1] + found[2:] == [SHIRT_OFFER, *(replace(SHIRT_OFFER, id=f"B{n}") for n in range(3000))]


@every_writer
def test_a_packed_feed_that_breaks_off_is_an_error_after_what_came_before(
    read: Read, format: str, write: Callable[[Iterable[Row]], str]
) -> None:
    rows = [{**SHIRT, "id": f"A{n}", "title": f"{n * 7919 % 104729} 셔츠 {n * n}"} for n in range(20_000)]
    packed = gzip.compress(write(rows).encode())
    found, error = read.until_error(packed[: len(packed) // 2], format)
    assert len(found) > 1000
    assert all(isinstance(each, Offer) for each in found)
    assert "is cut off" in error.message
    with pytest.raises(FeedError, match="damaged"):
        read(packed[:-8] + bytes(8), format)


# --- single fields ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("15000 KRW", "15000", "KRW"),
        ("15,000", "15000", "KRW"),
        ("₩15,000", "15000", "KRW"),
        ("￦ １５,０００", "15000", "KRW"),
        ("15000원", "15000", "KRW"),
        ("1,234,567 원", "1234567", "KRW"),
        ("15.000 KRW", "15000", "KRW"),
        ("15000.00 krw", "15000.00", "KRW"),
        ("KRW 15000", "15000", "KRW"),
        ("12.50 USD", "12.50", "USD"),
        ("$1,234.50", "1234.50", "USD"),
        ("1.234,56 EUR", "1234.56", "EUR"),
        ("12,5 €", "12.5", "EUR"),
        ("1 234,56 EUR", "1234.56", "EUR"),
        ("1\u202f234,56\u00a0€", "1234.56", "EUR"),
        ("1'234.50 CHF", "1234.50", "CHF"),
        ("1.234.567 EUR", "1234567", "EUR"),
        ("1.234 KWD", "1.234", "KWD"),
        ("¥1200", "1200", "JPY"),
        ("0", "0", "KRW"),
        ("1’299.00 CHF", "1299.00", "CHF"),
        ("CHF 1'299.-", "1299", "CHF"),
        ("12,- €", "12", "EUR"),
        ("R$ 129,90", "129.90", "BRL"),
        ("29000.000 KRW", "29000.000", "KRW"),
        ("$12.00 USD", "12.00", "USD"),
        ("US$ 12", "12", "USD"),
        ("USD $12", "12", "USD"),
        ("CAD $12", "12", "CAD"),
        ("HK$1,299.00", "1299.00", "HKD"),
        ("¥100 CNY", "100", "CNY"),
        ("₹1,23,456.50", "123456.50", "INR"),
        ("Rs. 1,299", "1299", "INR"),
        ("kr 1 299,00 SEK", "1299.00", "SEK"),
        ("49,90 zł", "49.90", "PLN"),
        ("１２，９００원", "12900", "KRW"),
        ("29,000원~", "29000", "KRW"),
        ("29,000원 부터", "29000", "KRW"),
        ("15000 - 20000 KRW", "15000", "KRW"),
        ("15,000원 ~ 20,000원", "15000", "KRW"),
        ("$12.00–$15.00", "12.00", "USD"),
        ("5-6 USD", "5", "USD"),
        ("from 5 USD", "5", "USD"),
        ("starting at $15", "15", "USD"),
        ("15,000원 이상", "15000", "KRW"),
        ("최저 15,000원~", "15000", "KRW"),
        ("정가: 29,900원", "29900", "KRW"),
        ("판매가 29,900원정", "29900", "KRW"),
        ("29,900원 (VAT 포함)", "29900", "KRW"),
        ("29,900원(부가세포함)", "29900", "KRW"),
        ("29,900 KRW incl. VAT", "29900", "KRW"),
        ("29,900원 / 1개", "29900", "KRW"),
        ("2만원", "20000", "KRW"),
        ("2만 9천원", "29000", "KRW"),
        ("3만9,900원", "39900", "KRW"),
        ("1.5만원 ~ 2만원", "15000", "KRW"),
        ("29천원", "29000", "KRW"),
        ("W29,900", "29900", "KRW"),
        ("\\29,900", "29900", "KRW"),
        ("KRW₩29,900", "29900", "KRW"),
        ("KRW:29900", "29900", "KRW"),
        (".99 USD", "0.99", "USD"),
        ("+29900", "29900", "KRW"),
        ("'29900", "29900", "KRW"),
        ('"29,900"', "29900", "KRW"),
        ("\ufeff29,900\u200b KRW", "29900", "KRW"),
        ("<b>29,900</b>&nbsp;원", "29900", "KRW"),
        ("29900" + " " * 100, "29900", "KRW"),
    ],
)
def test_prices_are_read_as_shops_write_them(text: str, amount: str, currency: str) -> None:
    assert parse_price(text) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    "text",
    ["", " ", "KRW", "-1", "1e5", "NaN", "Infinity", "1,23,456", "1,2345", "1.2.3", "1,234.567.8", "12..5", ".", "5.",
     "15000 XQX", "$5 KRW", "6-5 USD", "5 USD - 6 EUR", "5-", "-5", "- 5", "1234567890123", "KRW" * 30 + "1", "١٢٣ USDX", "1,",
     ",5", "12 5000", "1,23,456 EUR", "kr 100", "1.23E+12", "2900,000", "12%", "1/2", "(29,900)", "29,900원 (부가세 별도)", "29,900원 → 19,900원", "1.23456만원", "만원", "판매가 문의", "3개월 2만원", "1~2만원"],
)  # fmt: skip
def test_what_is_no_price_is_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match="not a price"):
        parse_price(text)


@given(st.decimals(0, 99_999_999, places=2))
def test_every_amount_is_read_back_in_both_continents_writing(amount: Decimal) -> None:
    english = f"{amount:,.2f}"
    german = english.translate({ord(","): ".", ord("."): ","})
    assert parse_price(f"{english} USD") == (amount, "USD")
    assert parse_price(f"{german} EUR") == (amount, "EUR")


@given(st.text(max_size=30))
def test_any_text_is_a_price_of_zero_or_more_or_none(text: str) -> None:
    try:
        amount, currency = parse_price(text)
    except ValueError:
        return
    assert amount >= 0
    assert amount.is_finite()
    assert len(currency) == 3


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", "in_stock"), ("in stock", "in_stock"), ("In_Stock", "in_stock"), ("https://schema.org/InStock", "in_stock"),
        ("out of stock", "out_of_stock"), ("품절", "out_of_stock"), ("sold out", "out_of_stock"), ("preorder", "preorder"),
        ("pre-order", "preorder"), ("backorder", "backorder"),
    ],
)  # fmt: skip
def test_availability_is_read_in_its_usual_spellings(text: str, meant: str) -> None:
    assert parse_availability(text) == meant


@pytest.mark.parametrize(
    ("gender", "age_group", "meant"),
    [
        ("female", "", "women"), ("Male", "adult", "men"), ("unisex", "", "unisex"), ("여성", "", "women"),
        ("female", "kids", "kids"), ("", "infant", "kids"), ("", "", None), ("other", "adult", None),
    ],
)  # fmt: skip
def test_gender_and_age_group_make_the_audience(gender: str, age_group: str, meant: str | None) -> None:
    assert parse_audience(gender, age_group) == meant


@pytest.mark.parametrize(
    "text",
    ["", "shop.example/p", "///shop.example/p", "ftp://shop.example/", "http:/shop.example", "http://", "https:///p",
     "http://shop.example\\@evil.example/", "https://a b.example/", "https://shop.example/\nx", "https://shop.example/\x00x",
     "https://shop.example/\"onload=", "https://shop.example:port/", "https://[::1/", "data:text/html,x",
     "https://shop.example/" + "x" * 3000],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused_as_link(text: str) -> None:
    with pytest.raises(BadFieldError):
        parse_link(text, "link")


def test_links_may_hold_korean_letters_blanks_and_ports() -> None:
    assert (
        parse_link(" HTTPS://맵시.example:8443/옷/새 것?색=흰#위 ", "link")
        == "https://맵시.example:8443/옷/새%20것?색=흰#위"
    )
    assert parse_link("http://[2001:db8::1]:80/", "link") == "http://[2001:db8::1]:80/"


@pytest.mark.parametrize(
    "text",
    ["/etc/passwd", "..", "../a.jpg", "a/../../b.jpg", "a//b.jpg", "~/a.jpg", "C:\\a.jpg", "c:/a.jpg", "a\\..\\b",
     "file:///a.jpg", "file:a.jpg", "data:image/png;base64,AA", "///img.example/a.jpg", "a\x00.jpg", "a.jpg/", "ftp://a/b.jpg"],
)  # fmt: skip
def test_a_picture_cannot_point_outside_the_feeds_folder(text: str) -> None:
    with pytest.raises(BadFieldError):
        parse_image(text)


@pytest.mark.parametrize("text", ["a.jpg", "photos/옷 1.jpg", "a/b/c.png", "..a.jpg", "https://img.example/a.jpg?w=1"])
def test_a_picture_is_an_address_or_a_path_beside_the_feed(text: str) -> None:
    assert parse_image(f" {text} ") == text


# --- where a feed came from -------------------------------------------------------------------------------------------


@every_writer
def test_relative_links_and_pictures_are_taken_from_where_the_feed_came_from(
    read: Read, format: str, write: Callable[[Iterable[Row]], str]
) -> None:
    file = read.file(write([{**SHIRT, "link": "/p/1?a=1&b=2", "image_link": "../photos/옷 1.jpg"}]))
    offer = only_offer(list(read_offers(format, file, "https://shop.example/feeds/all.xml")))
    assert offer.link == SHIRT["link"]
    assert offer.image == "https://shop.example/photos/옷%201.jpg"


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "//user@evil.example/",
        "/\\evil.example/",
        "//[evil",
        "data:text/html,x",
        "file:///etc/passwd",
    ],
)
@pytest.mark.parametrize("field", ["link", "image_link"])
def test_no_relative_address_leads_to_anything_but_a_plain_web_address(read: Read, field: str, link: str) -> None:
    file = read.file(table([{**SHIRT, field: link}], "\t"))
    assert f"The {field}" in only_reason(list(read_offers("merchant", file, "https://shop.example/feed")))


def test_an_absolute_address_stays_as_it_is_wherever_the_feed_came_from(read: Read) -> None:
    file = read.file(rss([SHIRT]))
    assert list(read_offers("merchant", file, "http://elsewhere.example/feed")) == [SHIRT_OFFER]


# --- terms ------------------------------------------------------------------------------------------------------------


def test_every_format_says_how_long_its_offers_are_shown_and_why() -> None:
    hours = {name: provider.terms.hours for name, provider in FORMATS.items()}
    assert hours == {"merchant": 720, "naver-ep": 72, "shop-json": 24, "csv": None}
    assert all(provider.terms.reason.endswith(".") for provider in FORMATS.values())
    assert not [name for name, number in hours.items() if number and f"{number} hours" not in MANUAL]


def test_only_of_shop_json_are_pictures_linked_and_results_left_as_they_came() -> None:
    assert [name for name, provider in FORMATS.items() if not provider.terms.copies_pictures] == ["shop-json"]
    assert FORMATS["shop-json"].terms.display == {"nothing_between", "addresses_unaltered", "no_advertisements"}
    assert not any(FORMATS[name].terms.display for name in ("merchant", "naver-ep", "csv"))


# --- for whatever strangers send -------------------------------------------------------------------------------------

NOISE = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
STARTS = [
    b"", b"\x1f\x8b", b"\xff\xfe", b"\xef\xbb\xbf", b"<?xml version='1.0' encoding='euc-kr'?><rss>", b"<rss><item>",
    b"id,title,link,image_link,price\n", b"id\ttitle\tlink\timage_link\tprice\n\"",
]  # fmt: skip


@NOISE
@given(st.sampled_from(STARTS), st.binary(max_size=300), st.sampled_from(sorted(FORMATS)))
def test_no_bytes_raise_anything_but_a_feed_error(read: Read, start: bytes, noise: bytes, format: str) -> None:
    with contextlib.suppress(FeedError):
        assert read(start + noise, format)


@NOISE
@given(st.data())
def test_a_feed_damaged_anywhere_raises_nothing_but_a_feed_error(read: Read, data: st.DataObject) -> None:
    format, write = data.draw(st.sampled_from(list(WRITERS.values())))
    feed = bytearray(write([SHIRT, DRESS]).encode(data.draw(st.sampled_from(["utf-8", "utf-16"]))))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(feed) - 1))
        feed[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    try:
        found = read(bytes(feed), format)
    except FeedError:
        return
    assert found
    assert all(isinstance(each, Offer | BrokenRow) for each in found)


TEXTS = st.text(
    st.characters(
        exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Cn", "Co"),
        exclude_characters="<&=\u034f\u115f\u1160\u2800\u3164\uffa0\ufe0e\ufe0f\ufffd",
    ),
    min_size=1,
    max_size=140,
).filter(lambda text: not stands_for_nothing(text) and text.strip() != "0")


@NOISE
@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=4), st.sampled_from(list(WRITERS.values())))
def test_any_texts_come_back_as_they_were_but_for_white_space(
    read: Read, texts: list[tuple[str, str, str]], how: tuple[str, Callable[[Iterable[Row]], str]]
) -> None:
    format, write = how
    rows = [
        {**SHIRT, "id": f"A{n}", "title": title, "description": description, "brand": brand}
        for n, (title, description, brand) in enumerate(texts)
    ]
    offers = [each for each in read(write(rows), format) if isinstance(each, Offer)]
    assert [(o.title, o.description, o.brand) for o in offers] == [
        tuple(" ".join(unicodedata.normalize("NFC", text).split()) for text in row) for row in texts
    ]


@given(st.text(max_size=200))
def test_plain_text_stays_plain(text: str) -> None:
    once = plain(text, 200)
    assert once == " ".join(once.split())
    assert not any(ord(letter) < 32 for letter in once)
    assert plain(once, 200) == once or "&" in once or "<" in once


@given(st.lists(st.sampled_from(["<", "b", ">", "/", "&lt;", "&amp;", "script", "!--", "-->", " ", "x"]), max_size=20))
def test_no_tag_is_left_that_a_few_rounds_of_escaping_hid(parts: list[str]) -> None:
    assert "<script>" not in plain("".join(parts), 200)

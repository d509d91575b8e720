"""A feed's bytes -> text: which encoding, what a broken letter costs, and what is packed otherwise or is no feed at
all."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsi.catalog.offer import Offer
from mapsi.encodings import decode
from mapsi.errors import FeedError
from mapsi.providers import FORMATS
from written_feeds import SHIRT, SHIRT_OFFER, Read, Row, everywhere, rss, table

Write = Callable[[Iterable[Row]], str]
CUT = "코트".encode()[:5]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return Read(tmp_path)


@everywhere
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp949"])
def test_one_broken_letter_costs_itself_and_no_row(read: Read, format: str, write: Write, encoding: str) -> None:
    rows = [{**SHIRT, "id": f"A{n}", "title": "셔츠 BROKEN" if n == 1 else "셔츠"} for n in range(20)]
    broken = {"utf-8": CUT, "utf-8-sig": CUT, "cp949": "코".encode("cp949") + b"\xff"}.get(encoding)
    if broken is None:
        broken = "코".encode(encoding[:9]) + "\ud800".encode(
            encoding.replace("utf-16", "utf-16-le")[:9], "surrogatepass"
        )
        if encoding == "utf-16-be":
            broken = "코".encode("utf-16-be") + b"\xd8\x00"
        if encoding == "utf-16":
            broken = "코".encode("utf-16-le") + b"\x00\xd8"
    marker = "BROKEN".encode("utf-16-le" if encoding in ("utf-16", "utf-16-le") else encoding.removesuffix("-sig"))
    found = read(write(rows).encode(encoding).replace(marker, broken), format)
    titles = [offer.title for offer in found if isinstance(offer, Offer)]
    assert titles == ["셔츠", "셔츠 코", *["셔츠"] * 18]


@pytest.mark.parametrize("written", ["utf-8", "cp949"])
@pytest.mark.parametrize("declared", ["windows-949", "x-windows-949", "MS949", "KSC_5601", "x-euc-kr", " UTF-8 ", ""])
def test_the_korean_code_page_is_known_by_all_its_names(read: Read, declared: str, written: str) -> None:
    feed = rss([SHIRT]).replace('version="1.0"', f'version="1.0" encoding="{declared}"')
    assert read(feed.encode(written)) == [SHIRT_OFFER]


def test_a_declaration_that_nobody_knows_is_no_harm_where_the_bytes_are_utf8(read: Read) -> None:
    assert read(rss([SHIRT]).replace('"1.0"', '"1.1" encoding="x-mac-klingon"', 1)) == [SHIRT_OFFER]


@everywhere
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_letters_without_a_mark_are_known_by_their_first_however_korean_the_rest(
    read: Read, format: str, write: Write, encoding: str
) -> None:
    rows = [{**SHIRT, "id": f"A{n}", "description": "가볍고시원합니다" * 40} for n in range(5)]
    assert len(read(write(rows).encode(encoding), format)) == 5


@everywhere
@pytest.mark.parametrize("field", ["id", "link", "image_link", "price"])
def test_a_broken_letter_where_it_counts_costs_one_row(read: Read, format: str, write: Write, field: str) -> None:
    rows = [{**SHIRT, "id": f"A{n}"} for n in range(3)]
    rows[1][field] += "BROKEN"
    feed = write(rows).encode().replace(b"BROKEN", CUT)
    assert [type(row).__name__ for row in read(feed, format)] == ["Offer", "BrokenRow", "Offer"]


@everywhere
def test_a_small_feed_with_a_cut_letter_is_not_taken_for_another_code_page(
    read: Read, format: str, write: Write
) -> None:
    feed = (
        write([{**SHIRT, "title": "린넨 긴팔 BROKEN", "description": ""}])
        .encode()
        .replace(b"BROKEN", "셔".encode()[:1])
    )
    (offer,) = read(feed, format)
    assert isinstance(offer, Offer)
    assert offer.title == "린넨 긴팔"


@given(st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=8, max_size=200), st.data())
def test_korean_text_is_told_from_its_bytes_even_with_one_broken(text: str, data: st.DataObject) -> None:
    assert decode(text.encode()) == text
    whole = text.encode("cp949")
    assert decode(whole) == text or whole.decode("utf-8", "ignore")
    at = data.draw(st.integers(0, len(text.encode()) - 1))
    cut = text.encode()
    assert sum(letter in text for letter in decode(cut[:at] + cut[at + 1 :])) >= len(text) - 1


def zipped(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "id,title\n")
    return out.getvalue()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (zipped("feed.tsv"), r"packed with zip.*gzip"),
        (zipped("[Content_Types].xml"), "workbook.*CSV"),
        (zipped("mimetype"), "workbook.*CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "workbook.*CSV"),
        (b"BZh91AY&SY" + bytes(40), "bzip2"),
        (b"\xfd7zXZ\x00" + bytes(40), "xz"),
        (b"(\xb5/\xfd" + bytes(40), "zstd"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(40), "7-Zip"),
        (b"Rar!\x1a\x07" + bytes(40), "rar"),
        (b"%PDF-1.7\n", "PDF"),
    ],
)
def test_what_is_packed_otherwise_or_no_text_is_told_by_its_content(
    read: Read, format: str, data: bytes, message: str
) -> None:
    with pytest.raises(FeedError) as caught:
        read(data, format)
    assert re.search(message, str(caught.value))


@pytest.mark.parametrize("korean", [1, 2, 19])
@pytest.mark.parametrize("format", ["merchant", "csv"])
def test_rows_of_two_encodings_are_each_read_in_their_own(read: Read, format: str, korean: int) -> None:
    titles = [f"린넨 셔츠 {n}" for n in range(20)]
    rows = table([{**SHIRT, "id": f"A{n}", "title": title} for n, title in enumerate(titles)]).splitlines(keepends=True)
    feed = b"".join(line.encode("cp949" if 0 < n <= korean else "utf-8") for n, line in enumerate(rows))
    found = [offer for offer in read(feed, format) if isinstance(offer, Offer)]
    assert [(offer.title, offer.description) for offer in found] == [(t, SHIRT["description"]) for t in titles]


def test_items_of_two_encodings_are_each_read_in_their_own(read: Read) -> None:
    lines = rss([SHIRT, {**SHIRT, "id": "A2"}]).splitlines(keepends=True)
    cut = next(n for n, line in enumerate(lines) if "A2" in line)
    feed = "".join(lines[:cut]).encode() + "".join(lines[cut:]).encode("cp949")
    for written in (feed, feed.replace(b"\n", b"")):
        assert [offer.title for offer in read(written) if isinstance(offer, Offer)] == [SHIRT["title"]] * 2


def test_chinese_letters_among_korean_ones_are_read_in_either_encoding(read: Read) -> None:
    titles = ["美니트 셔츠", "新商品 린넨 바지", "大디자인 女성 셔츠"]
    for mixed in (0, 1):
        rows = table([{**SHIRT, "id": f"A{n}", "title": title} for n, title in enumerate(titles)]).splitlines(True)
        feed = b"".join(line.encode("utf-8" if mixed and n == 1 else "cp949") for n, line in enumerate(rows))
        assert [offer.title for offer in read(feed) if isinstance(offer, Offer)] == titles


@given(st.text(alphabet="가나다라마바사 셔츠바지니트abc,\n", min_size=1))
def test_a_text_of_one_encoding_is_never_taken_for_one_of_two(text: str) -> None:
    assert decode(text.encode()) == text


def test_a_large_feed_of_two_encodings_in_long_lines_loses_no_letter(read: Read) -> None:
    long = "니트 셔츠 " * 700
    rows = [{**SHIRT, "id": f"A{n}", "description": long} for n in range(120)]
    lines = table(rows).splitlines(keepends=True)
    feed = b"".join(line.encode("cp949" if n % 7 == 3 else "utf-8") for n, line in enumerate(lines))
    found = [offer for offer in read(feed, "csv") if isinstance(offer, Offer)]
    assert len(found) == 120
    assert {offer.description for offer in found} == {long.strip()}


@everywhere
@pytest.mark.parametrize("behind", [b"\r\n", b"\0" * 512, b"<!-- cached -->", b"DONE", gzip.compress(b"\n", mtime=0)])
@pytest.mark.parametrize("count", [1, 20_000])
def test_what_a_server_appends_to_a_packed_feed_is_no_part_of_it(
    read: Read, format: str, write: Write, behind: bytes, count: int
) -> None:
    if count > 1 and (format, behind) != ("merchant", b"DONE"):
        return
    rows = [{**SHIRT, "id": f"A{n}"} for n in range(count)]
    assert len(read(gzip.compress(write(rows).encode(), 1) + behind, format)) == count


@everywhere
def test_a_feed_that_was_packed_twice_is_unpacked_twice(read: Read, format: str, write: Write) -> None:
    assert len(read(gzip.compress(gzip.compress(write([SHIRT]).encode())), format)) == 1


def test_a_packed_feed_that_is_damaged_inside_is_still_refused(read: Read) -> None:
    packed = gzip.compress(rss([SHIRT]).encode())
    for damaged in (packed[:60] + b"\xff" + packed[61:], packed[:-4], packed + packed[:12]):
        with pytest.raises(FeedError, match=r"damaged|cut off"):
            read(damaged)

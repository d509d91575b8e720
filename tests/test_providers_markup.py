"""RSS and Atom as shops' templates write them: namespaces, what XML does not know, and items that are not
well-formed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.errors import FeedError
from written_feeds import SHIRT, SHIRT_OFFER, Read, Row, atom, naver, only_offer, rss, table

GOOGLE = "http://base.google.com/ns/1.0"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return Read(tmp_path)


# --- namespaces ------------------------------------------------------------------------------------------------------


def with_prefix(prefix: str) -> str:
    return rss([SHIRT], prefix=f"{prefix}:").replace(f' xmlns:g="{GOOGLE}"', "")


@pytest.mark.parametrize("place", ["<rss ", "<channel", "<item"])
def test_a_namespace_may_be_declared_on_any_element_around(read: Read, place: str) -> None:
    feed = with_prefix("p4").replace(place, f'{place.strip()} xmlns:p4="{GOOGLE}" ', 1)
    assert read(feed) == [SHIRT_OFFER]


def test_a_namespace_may_be_declared_on_each_field(read: Read) -> None:
    feed = re.sub(r"<(p4:\w+)>", rf'<\1 xmlns:p4="{GOOGLE}">', with_prefix("p4"))
    assert read(feed) == [SHIRT_OFFER]


def test_a_declaration_ends_with_its_element(read: Read) -> None:
    first = f'<p4:color xmlns:p4="{GOOGLE}">red</p4:color><p4:brand>no</p4:brand>'
    other = '<p4:title xmlns:p4="http://other.example/">no</p4:title>'
    offer = only_offer(read(rss([SHIRT]).replace("</item>", f"{first}{other}</item>")))
    assert (offer.color, offer.brand, offer.title) == ("red", "", SHIRT["title"])


def test_fields_may_stand_in_the_default_namespace(read: Read) -> None:
    feed = rss([SHIRT], prefix="").replace("<item>", f'<item xmlns="{GOOGLE}">')
    assert read(feed) == [SHIRT_OFFER]


# --- what XML does not know ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "title"),
    [("Caf&eacute;&nbsp;셔츠", "Café 셔츠"), ("H&M & Co", "H&M & Co"), ("a\x0bb\x00c", "a b c"), ("a&#11;&#0;b", "ab"),
     ("a&undefined;b", "a&undefined;b"), ("<![CDATA[a & b &amp; c &nbsp;d]]>", "a & b & c d"), ("a\ufffdb\ufffe", "ab")],
)  # fmt: skip
def test_letters_and_entities_that_xml_does_not_know_are_mended(read: Read, written: str, title: str) -> None:
    feed = rss([SHIRT]).replace(SHIRT["title"], written)
    assert only_offer(read(feed)).title == title


def test_a_link_with_a_bare_ampersand_is_read(read: Read) -> None:
    assert read(rss([SHIRT]).replace("&amp;", "&")) == [SHIRT_OFFER]


def test_an_entity_on_the_border_of_two_pieces_is_whole(read: Read) -> None:
    for shift in range(12):
        feed = rss([{**SHIRT, "description": "x" * (65_536 + shift)}, {**SHIRT, "id": "A2", "title": "a & b"}])
        at = feed.index("a &amp; b")
        assert at > 65_536
        padded = feed.replace("<channel>", "<channel>" + " " * (131_072 - at + shift - 6))
        assert [row.title for row in read(padded) if isinstance(row, Offer)] == [SHIRT["title"], "a & b"]


# --- items that are not well-formed ----------------------------------------------------------------------------------

THREE = [{**SHIRT, "id": f"A{n}", "title": f"셔츠 {n}"} for n in range(3)]


@pytest.mark.parametrize("write", [rss, atom])
@pytest.mark.parametrize(
    "damage",
    [
        "셔츠 < 1",
        "셔츠</b> 1",
        "<b>셔츠 1",
        "<b c=d>셔츠 1</b>",
        "<b c='1' c='2'/>",
        "<" + "b>" + "<b>" * 200,
        "< b>셔츠",
        "]]>",
    ],
)
def test_one_damaged_item_costs_one_item(read: Read, write: object, damage: str) -> None:
    feed = write(THREE).replace("셔츠 1", damage)  # type: ignore[operator]
    first, broken, last = read(feed)
    assert (first.id, last.id) == ("A0", "A2")  # type: ignore[union-attr]
    assert isinstance(broken, BrokenRow)
    assert broken.reason.startswith("The item is not well-formed XML in line ")
    begins = feed[: feed.index(damage)].rindex("<item>" if write is rss else "<entry>")
    assert broken.line == feed[:begins].count("\n") + 1


def test_every_second_item_may_be_damaged(read: Read) -> None:
    rows = [
        {**SHIRT, "id": f"A{n}", "title": "BAD" if n % 2 else "셔츠", "price": "" if n == 98 else "5"}
        for n in range(1000)
    ]
    feed = rss(rows).replace("BAD", "a < b")
    found = read(feed)
    assert sum(isinstance(row, Offer) for row in found) == 499
    lines = [number for number, line in enumerate(feed.splitlines(), 1) if "<item>" in line]
    assert [row.line for row in found if isinstance(row, BrokenRow)] == sorted([*lines[1::2], lines[98]])


def test_a_damaged_item_without_an_end_is_a_damaged_feed(read: Read) -> None:
    head, damaged = rss(THREE).replace("셔츠 1", "<b c=>").split("</item>", 1)
    found, error = read.until_error(f"{head}</item>" + damaged.replace("</item>", "</items>"))
    assert len(found) == 2
    assert "not well-formed XML in line 14" in error.message


def test_damage_between_items_is_a_damaged_feed(read: Read) -> None:
    with pytest.raises(FeedError, match="not well-formed XML in line 12"):
        read(rss(THREE[:2]).replace("</item>\n<item>", "</item>\n<a b=c/><item>"))


@pytest.mark.parametrize(
    "after", ["<!-- in 2 s -->\n<script>track()</script>", "\nDone.", "\0\0\0", "Notice: <b>x</b> in a.php\n" * 5000]
)
def test_what_a_server_appends_to_a_feed_is_passed_over(read: Read, after: str) -> None:
    assert read(rss([SHIRT]) + after) == [SHIRT_OFFER]


@pytest.mark.parametrize("again", [rss([SHIRT]), "\n" * 70000 + "<item>", "<r:rss>"])
def test_a_feed_that_goes_on_after_its_end_is_refused(read: Read, again: str) -> None:
    found, error = read.until_error(rss([SHIRT]) + again)
    assert found == [SHIRT_OFFER]
    assert "after its end" in str(error)


@pytest.mark.parametrize(
    "declaration", ['<?xml version="1.1"?>', '<?xml version="1.0"?>\n' * 2, "<?xml version='1.0' ?>"]
)
def test_a_declaration_that_xml_does_not_allow_is_no_harm(read: Read, declaration: str) -> None:
    feed = rss([{**SHIRT, "price": ""}, SHIRT]).replace('<?xml version="1.0"?>\n', declaration)
    assert read(feed) == [BrokenRow(3 + declaration.count("\n"), "The row has no price."), SHIRT_OFFER]


def test_names_may_be_written_in_capitals(read: Read) -> None:
    assert read(rss([SHIRT]).replace("g:id>", "G:ID>").replace("g:price>", "g:Price>")) == [SHIRT_OFFER]


# --- where a picture stands -----------------------------------------------------------------------------------------

FIELD = f"<g:image_link>{SHIRT['image_link']}</g:image_link>"
MEDIA = 'xmlns:media="http://search.yahoo.com/mrss/"'


@pytest.mark.parametrize(
    "element",
    [
        '<g:image_link href="{}"/>',
        '<g:image_link url="{}"></g:image_link>',
        '<image_link src="{}"> </image_link>',
        "<g:imageLink>{}</g:imageLink>",
        '<enclosure url="{}" type="image/jpeg" length="1"/>',
        f'<media:content {MEDIA} url="{{}}" medium="image"/>',
        f'<media:thumbnail {MEDIA} url="{{}}"/>',
        '<link rel="enclosure" type="image/jpeg" href="{}"/>',
        '<link rel="image" href="{}"/>',
    ],
)
@pytest.mark.parametrize("write", [rss, atom])
def test_a_picture_may_stand_where_rss_and_atom_have_one(
    read: Read, write: Callable[[Iterable[Row]], str], element: str
) -> None:
    feed = re.sub(r"<g:image_link>[^<]*</g:image_link>", element.format(SHIRT["image_link"]), write([SHIRT]))
    assert read(feed) == [SHIRT_OFFER]


@pytest.mark.parametrize("other", ["video/mp4", "audio/mpeg", "text/html"])
def test_what_is_enclosed_and_no_picture_is_passed_over(read: Read, other: str) -> None:
    feed = rss([SHIRT]).replace(FIELD, f'<enclosure url="https://img.example/1.mp4" type="{other}"/>')
    assert read(feed) == [BrokenRow(4, "The row has no image_link.", "A1")]


@pytest.mark.parametrize("place", ["<item>", "</item>"])
def test_a_field_for_the_picture_counts_before_what_is_enclosed(read: Read, place: str) -> None:
    beside = '<enclosure url="https://img.example/small.jpg" type="image/jpeg"/>'
    feed = rss([SHIRT]).replace(place, f"{place}{beside}" if place == "<item>" else f"{beside}{place}")
    assert read(feed) == [SHIRT_OFFER]


def test_a_link_may_have_its_address_twice(read: Read) -> None:
    link = SHIRT["link"].replace("&", "&amp;")
    feed = re.sub(r"<g:link>[^<]*</g:link>", f'<link href="{link}">{link}</link>', rss([SHIRT]))
    assert read(feed) == [SHIRT_OFFER]


def test_all_of_a_feed_may_have_a_prefix_of_its_own(read: Read) -> None:
    feed = re.sub(r"(</?)(rss|channel|item|title|link|description)\b", r"\1r:\2", rss([SHIRT], prefix=""))
    feed = re.sub(r"(</?)(id|image_link|price)\b", r"\1g:\2", feed)
    assert read(feed.replace("<r:rss", '<r:rss xmlns:r="http://backend.userland.com/rss2"')) == [SHIRT_OFFER]


# --- what a server prints above a feed -------------------------------------------------------------------------------

ABOVE = {
    "a warning": "\nWarning: Undefined variable $x in /var/www/feed.php on line 12\n",
    "in HTML": "<br />\n<b>Warning</b>:  Undefined variable $x in <b>/var/www/feed.php</b> on line <b>12</b><br />\n",
    "no line end": "<br /><b>Notice</b>: mysql_connect(): refused 'x'@'localhost' in <b>/a.php</b> on line <b>3</b><br />",
    "a log's": "PHP Deprecated:  Function each() is deprecated in /a.php on line 2\n",
    "xdebug": '<br />\n<font size="1"><table class="xdebug-error"><tr><th>( ! ) Notice</th></tr></table></font>\n',
    "many": "\nNotice: Undefined index: a in /feed.php on line 3\n" * 40,
    "a comment": "<!-- cached by a plugin, <rss> and <html> in 0.2 s -->\n",
    "two comments": "<!-- a -->\n<!-- b\n c -->\n\n",
    "a comment that begins above others": "<!-- <?xml version='1.0'?> --><!-- -->",
    "blank lines and marks": "\n\ufeff \r\n\u200b\ufeff\n",
    "zeros": "\x00\x00",
    "how scripts begin": "#!/usr/bin/php -q\n",
    "headers": "X-Powered-By: PHP/5.2\nContent-type: text/xml\n\n",
}


@pytest.mark.parametrize("above", ABOVE.values(), ids=ABOVE.keys())
@pytest.mark.parametrize("declared", ["<?xml version='1.0' encoding='UTF-8'?>\n", ""])
@pytest.mark.parametrize("feed", [rss([SHIRT]).partition("?>")[2], atom([SHIRT])])
def test_what_a_server_prints_above_a_feed_is_none_of_it(read: Read, above: str, declared: str, feed: str) -> None:
    assert read(above + declared + feed) == [SHIRT_OFFER]
    assert read(declared + above + feed) == [SHIRT_OFFER]


@pytest.mark.parametrize("above", ABOVE.values(), ids=ABOVE.keys())
@pytest.mark.parametrize(("format", "delimiter"), [("merchant", "\t"), ("csv", ","), ("naver-ep", "\t")])
def test_and_none_of_a_table(read: Read, above: str, format: str, delimiter: str) -> None:
    feed = naver([SHIRT]) if format == "naver-ep" else table([SHIRT], delimiter)
    (offer,) = read(above + feed, format)
    assert isinstance(offer, Offer)
    assert (offer.id, offer.title) == (SHIRT_OFFER.id, SHIRT_OFFER.title)


def test_lines_are_counted_with_those_above(read: Read) -> None:
    feed = ABOVE["in HTML"] + rss([{**SHIRT, "price": "dear"}])
    (broken,) = read(feed)
    assert isinstance(broken, BrokenRow)
    assert feed.splitlines()[broken.line - 1].endswith("<item>")


def test_what_is_printed_inside_a_feed_costs_nothing_either(read: Read) -> None:
    between, inside = ABOVE["in HTML"], ABOVE["in HTML"].replace("<br />", "<br/>")
    feed = rss([SHIRT]).replace("<item>", f"{between}<item>{inside}").replace("</channel>", f"{between}</channel>")
    assert read(feed) == [SHIRT_OFFER]


def test_an_encoding_that_is_declared_below_counts(read: Read) -> None:
    declared = '<?xml version="1.0" encoding="iso-8859-15"?>'
    feed = (ABOVE["a warning"] + declared + rss([{**SHIRT, "title": "Café"}]).partition("?>")[2]).encode(
        "iso-8859-15", "ignore"
    )
    assert only_offer(read(feed)).title == "Café"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (ABOVE["in HTML"] + "<urlset><url/></urlset>", "begins with <urlset>"),
        ("<yml_catalog><shop><offers/></shop></yml_catalog>", "begins with <yml_catalog>"),
        ("<soap:Envelope><data><item/></data></soap:Envelope>", "begins with <soap:Envelope>"),
        (ABOVE["a warning"], "does not name these columns"),
        (ABOVE["a comment"], "not name|not well-formed|cut off"),
        (ABOVE["in HTML"] + "<!DOCTYPE rss [<!ENTITY a 'b'>]>" + rss([SHIRT]), "entity declarations"),
        ("<!-- a" + rss([SHIRT]), "cut off|not well-formed"),
    ],
)
def test_what_is_no_feed_is_told_by_what_it_begins_with(read: Read, written: str, says: str) -> None:
    with pytest.raises(FeedError, match=says):
        read(written)


def test_a_name_in_angle_brackets_makes_no_feed_of_a_table(read: Read) -> None:
    assert only_offer(read(table([{**SHIRT, "title": "<shop> 볼캡"}], "\t"))).title == "<shop> 볼캡"


# --- lists of products -----------------------------------------------------------------------------------------------


def listed(root: str, item: str) -> str:
    items = rss([SHIRT], prefix="").partition("</link>")[2].partition("</channel>")[0]
    return f"<?xml version='1.0'?>\n<{root}>{items.replace('item>', f'{item}>')}</{root}>"


@pytest.mark.parametrize("item", ["item", "product", "offer", "PRODUCT", "entry"])
@pytest.mark.parametrize("root", ["products", "offers", "catalog", "shop", "Products", "root", "product_list"])
def test_a_plain_list_of_products_is_read_by_the_same_fields(read: Read, root: str, item: str) -> None:
    assert read(listed(root, item)) == [SHIRT_OFFER]


def test_items_of_a_list_may_lie_deeper_and_say_their_id_as_an_attribute(read: Read) -> None:
    feed = listed("shop", "offer").replace("<id>A1</id>", "").replace("<offer>", '<offers><offer id="A1">')
    assert read(feed.replace("</offer>", "</offer></offers>")) == [SHIRT_OFFER]


def test_an_id_in_its_own_field_counts_before_an_attribute(read: Read) -> None:
    assert read(listed("products", "product").replace("<product>", '<product id="row 7">')) == [SHIRT_OFFER]


def test_a_damaged_product_of_a_list_costs_one(read: Read) -> None:
    whole = listed("products", "product")
    product = whole.partition("<products>")[2].partition("</products>")[0]
    broken, offer = read(whole.replace("<products>", f"<products>{product.replace('</title>', '</t>')}"))
    assert isinstance(broken, BrokenRow)
    assert offer == SHIRT_OFFER


@pytest.mark.parametrize("root", ["rss", "feed"])
def test_in_rss_and_atom_a_product_is_no_item(read: Read, root: str) -> None:
    with pytest.raises(FeedError, match="no items"):
        read(listed(root, "product"))


def test_two_lists_in_one_file_are_refused(read: Read) -> None:
    with pytest.raises(FeedError, match="several in one file"):
        read(listed("products", "product") + listed("products", "product").partition("?>")[2])

"""Naver Shopping EP 3.0: the full feed, and the summary feed of what is new, changed and deleted."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapsi.catalog.offer import BrokenRow, Offer, Withdrawal
from mapsi.catalog.store.sale_prices import price_at
from mapsi.errors import FeedError
from mapsi.providers import FORMATS, FeedRow, read_offers
from mapsi.providers.naver_ep import REQUIRED

Row = Mapping[str, str]
EP = FORMATS["naver-ep"]
SHIRT = {
    "id": "101",
    "title": "린넨 오버핏 셔츠",
    "price_pc": "15,000",
    "link": "https://shop.example/goods/101",
    "image_link": "https://img.example/101.jpg",
    "category_name1": "패션의류",
    "category_name2": "남성의류",
    "category_name3": "셔츠/남방",
    "category_name4": "",
    "brand": "맵시",
    "maker": "하루상사",
    "shipping": "3000",
}
OFFER = Offer(
    id="101",
    title="린넨 오버핏 셔츠",
    link="https://shop.example/goods/101",
    image="https://img.example/101.jpg",
    price=Decimal(15000),
    currency="KRW",
    brand="맵시",
    category="패션의류 > 남성의류 > 셔츠/남방",
    audience="men",
)


def ep(rows: Iterable[Row], names: Iterable[str] | None = None) -> str:
    rows = list(rows)
    columns = list(names or dict.fromkeys(name for row in rows for name in row))
    return "".join("\t".join(line) + "\n" for line in [columns, *([row.get(n, "") for n in columns] for row in rows)])


def change(kind: str, time: str = "", **values: str) -> Row:
    return {**SHIRT, "class": kind, "update_time": time, **values}


class Read:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "ep.tsv"

    def put(self, feed: str | bytes) -> Path:
        self.file.write_bytes(feed if isinstance(feed, bytes) else feed.encode())
        return self.file

    def __call__(self, feed: str | bytes) -> list[FeedRow]:
        return list(EP.read(self.put(feed)))


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return Read(tmp_path)


# --- the full feed ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_a_full_feed_is_read_in_old_and_new_encodings(read: Read, encoding: str) -> None:
    assert read(ep([SHIRT]).encode(encoding)) == [OFFER]
    assert read(gzip.compress(ep([SHIRT]).encode(encoding))) == [OFFER]
    assert list(read_offers("naver-ep", read.put(ep([SHIRT])))) == [OFFER]


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_required_column_that_is_missing_is_told_by_its_name(read: Read, missing: str) -> None:
    feed = ep([SHIRT], [name for name in SHIRT if name != missing])
    with pytest.raises(FeedError, match=f"does not name these columns: {missing}\\."):
        read(feed)


def test_all_missing_columns_are_told_at_once(read: Read) -> None:
    with pytest.raises(FeedError, match=r"price_pc, image_link, category_name1, shipping"):
        read("id\ttitle\tlink\n1\t2\t3\n")


def test_the_older_name_of_the_price_is_understood_and_the_newer_one_wins(read: Read) -> None:
    older = ep([{**SHIRT, "lprice": "9900"}])
    assert read(older) == [OFFER]
    assert read(ep([SHIRT]).replace("price_pc", "lprice")) == [OFFER]


@pytest.mark.parametrize(
    ("normal", "price", "sale_price"),
    [("20000", 20000, 15000), ("15000", 15000, None), ("12000", 15000, None), ("0", 15000, None), (" ", 15000, None)],
)
def test_a_normal_price_above_what_is_paid_makes_that_a_sale_price(
    read: Read, normal: str, price: int, sale_price: int | None
) -> None:
    (offer,) = read(ep([{**SHIRT, "normal_price": normal}]))
    assert isinstance(offer, Offer)
    assert (offer.price, offer.sale_price, price_at(offer, datetime.now(UTC))) == (price, sale_price, 15000)


@pytest.mark.parametrize(
    ("categories", "audience"),
    [
        (("패션의류", "여성의류", "원피스", "미니"), "women"),
        (("출산/육아", "유아동의류", "여성"), "kids"),
        (("여성 의류",), "women"),
        (("스포츠/레저",), None),
    ],
)
def test_the_categories_are_joined_to_a_path_that_tells_the_audience(
    read: Read, categories: tuple[str, ...], audience: str | None
) -> None:
    names = {f"category_name{level}": name for level, name in enumerate(categories, 1)}
    blank = {f"category_name{level}": "" for level in range(1, 5)}
    (offer,) = read(ep([{**SHIRT, **blank, **names}]))
    assert isinstance(offer, Offer)
    assert (offer.category, offer.audience) == (" > ".join(categories), audience)


def test_what_the_columns_say_of_the_audience_weighs_more_than_the_category(read: Read) -> None:
    rows = [
        {**SHIRT, "id": "1", "gender": "남녀공용"},
        {**SHIRT, "id": "2", "gender": "여성", "age_group": "성인"},
        {**SHIRT, "id": "3", "age_group": "아동"},
    ]
    assert [offer.audience for offer in read(ep(rows)) if isinstance(offer, Offer)] == ["unisex", "women", "kids"]


def test_the_maker_stands_in_for_a_missing_brand(read: Read) -> None:
    (offer,) = read(ep([{**SHIRT, "brand": " "}]))
    assert isinstance(offer, Offer)
    assert offer.brand == "하루상사"


def test_the_bar_code_and_the_makers_number_are_read(read: Read) -> None:
    (offer,) = read(ep([{**SHIRT, "barcode": "8801234567893", "manufacture_define_number": "HR-100"}]))
    assert isinstance(offer, Offer)
    assert (offer.gtin, offer.mpn) == ("8801234567893", "HR-100")


def test_a_product_for_sale_later_is_a_preorder(read: Read) -> None:
    (offer,) = read(ep([{**SHIRT, "product_flag": "예약판매"}]))
    assert isinstance(offer, Offer)
    assert offer.availability == "preorder"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"product_flag": "렌탈"}, "rented out"),
        ({"product_flag": "도매"}, "wholesale"),
        ({"adult": "Y"}, "minors"),
        ({"price_pc": ""}, "no price_pc"),
        ({"price_pc": "문의"}, "price_pc '문의' is not a price"),
        ({"price_pc": "0"}, "price is zero"),
        ({"link": "/goods/1"}, "not an absolute"),
        ({"id": "1" * 51}, "longer than 50"),
    ],
)
def test_a_row_that_cannot_be_offered_says_why_and_the_others_stay(read: Read, value: Row, reason: str) -> None:
    broken, whole = read(ep([{**SHIRT, **value}, {**SHIRT, "id": "102"}]))
    assert isinstance(broken, BrokenRow)
    assert broken.line == 2
    assert reason in broken.reason
    assert isinstance(whole, Offer)


@pytest.mark.parametrize("kind", ["", "U"])
def test_an_unreadable_price_before_the_sale_costs_itself_and_is_told(read: Read, kind: str) -> None:
    offer, told = read(ep([{**SHIRT, "normal_price": "문의", "class": kind}]))
    assert isinstance(offer, Offer)
    assert (offer.price, offer.sale_price) == (Decimal(15000), None)
    reason = "The normal_price '문의' is not a price. The offer was taken without its sale price."
    assert told == BrokenRow(2, reason, taken=True)


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ('15" 노트북 파우치', '15" 노트북 파우치'),
        ('"신상 셔츠', '"신상 셔츠'),
        ('"신상" 린넨 "셔츠"', '"신상" 린넨 "셔츠"'),
        ('"린넨 ""오버핏"" 셔츠"', '린넨 "오버핏" 셔츠'),
        ("&lt;b&gt;린넨&lt;/b&gt; 셔츠", "린넨 셔츠"),
    ],
)
def test_a_quotation_mark_is_a_character_that_swallows_no_row(read: Read, written: str, title: str) -> None:
    found = read(ep([{**SHIRT, "title": written}, {**SHIRT, "id": "102"}]))
    assert [offer.title for offer in found if isinstance(offer, Offer)] == [title, SHIRT["title"]]


def test_of_rows_with_one_id_the_first_whole_one_counts_in_a_full_feed(read: Read) -> None:
    found = read(ep([{**SHIRT, "price_pc": "?"}, SHIRT, {**SHIRT, "title": "다른 것"}]))
    assert [type(row) for row in found] == [BrokenRow, Offer, BrokenRow]


def test_a_full_feed_that_breaks_off_or_holds_nothing_is_refused(read: Read) -> None:
    feed = ep([SHIRT, {**SHIRT, "id": "102"}])
    with pytest.raises(FeedError, match="is cut off in line 3"):
        read(feed[: feed.rindex("\t패션의류")])
    with pytest.raises(FeedError, match="has no rows"):
        read(ep([], SHIRT))


# --- the summary feed ------------------------------------------------------------------------------------------------


def test_a_summary_feed_gives_offers_and_withdrawals(read: Read) -> None:
    feed = ep(
        [
            change("I", "2026-11-22 10:00:00"),
            change("u", "2026-11-22 10:00:01", id="102", price_pc="9900"),
            {"id": "103", "class": "D", "update_time": "2026-11-22 10:00:02"},
        ]
    )
    new, changed, gone = read(feed)
    assert new == OFFER
    assert isinstance(changed, Offer)
    assert (changed.id, changed.price) == ("102", 9900)
    assert gone == Withdrawal("103")
    assert EP.partial(read.file)


def test_a_summary_feed_is_never_taken_for_the_whole(read: Read) -> None:
    file = read.put(ep([change("I")]))
    with pytest.raises(FeedError, match="only what changed"):
        list(read_offers("naver-ep", file))


@pytest.mark.parametrize(
    ("feed", "partial"),
    [
        (ep([SHIRT]), False),
        (ep([change("")]), False),
        (ep([change(""), change("D", id="2")]), False),
        (ep([change("I")]), True),
        (ep([change("X")]), True),
        (ep([], [*SHIRT, "class"]), True),
        (ep([], SHIRT), False),
    ],
)
def test_the_class_column_and_its_first_row_tell_a_feed_of_changes(read: Read, feed: str, partial: bool) -> None:
    assert EP.partial(read.put(feed)) is partial


def test_a_summary_of_no_change_is_a_feed_without_rows(read: Read) -> None:
    assert read(ep([], [*SHIRT, "class", "update_time"])) == []


def test_a_full_feed_with_an_empty_class_column_is_read_but_its_deleted_rows_are_not(read: Read) -> None:
    found = read(ep([change(""), change("U", id="102"), change("D", id="103")]))
    assert [type(row) for row in found] == [Offer, Offer, BrokenRow]


def test_of_several_changes_to_one_offer_the_latest_counts(read: Read) -> None:
    feed = ep(
        [
            change("U", "2026-11-22 12:00:00", price_pc="3"),
            change("I", "2026-11-22 10:00:00", price_pc="1"),
            change("D", "2026-11-22 11:00:00"),
            change("I", "2026-11-22 10:00:00", id="102"),
            change("D", "2026-11-22T10:30:00", id="102"),
            change("D", "2026-11-22 10:30:00", id="103"),
            change("I", "2026-11-22 10:30:00", id="103"),
        ]
    )
    first, second, third = read(feed)
    assert isinstance(first, Offer)
    assert (first.id, first.price) == ("101", 3)
    assert second == Withdrawal("102")
    assert isinstance(third, Offer)
    assert third.id == "103"


def test_changes_without_a_time_count_in_their_order(read: Read) -> None:
    assert read(ep([change("I"), change("D", "tomorrow")])) == [Withdrawal("101")]
    (offer,) = read(ep([change("D"), change("I")]))
    assert isinstance(offer, Offer)


def test_a_latest_change_that_is_broken_does_not_let_an_earlier_one_through(read: Read) -> None:
    (broken,) = read(ep([change("I", "2026-11-22 10:00:00"), change("U", "2026-11-22 11:00:00", price_pc="?")]))
    assert isinstance(broken, BrokenRow)
    assert broken.line == 3


def test_broken_changes_are_told_with_their_line(read: Read) -> None:
    found = read(
        ep([change("I"), change("X", id="2"), change("D", id=""), change("", id="3"), change("I", id="4", link="?")])
    )
    assert [(row.line, row.reason.split(" ")[1]) for row in found if isinstance(row, BrokenRow)] == [
        (3, "class"),
        (4, "row"),
        (5, "class"),
        (6, "link"),
    ]


ACTIONS = st.lists(st.tuples(st.integers(1, 4), st.sampled_from("IUDX"), st.integers(0, 5)), max_size=12)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTIONS)
def test_a_summary_leaves_what_playing_it_change_by_change_leaves(
    read: Read, actions: list[tuple[int, str, int]]
) -> None:
    feed = ep(
        [
            change(kind, f"2026-11-22 10:00:0{second}", id=str(number), price_pc=str(place + 1))
            for place, (number, kind, second) in enumerate(actions)
        ],
        [*SHIRT, "class", "update_time"],
    )
    slow: dict[str, int | None] = {}
    for place, (number, kind, _) in sorted(enumerate(actions), key=lambda action: (action[1][2], action[0])):
        slow.pop(str(number), None)
        if kind != "X":
            slow[str(number)] = None if kind == "D" else place + 1
    fast = {
        row.id: int(row.price) if isinstance(row, Offer) else None
        for row in read(feed)
        if not isinstance(row, BrokenRow)
    }
    assert fast == slow


def test_the_memory_for_a_feed_does_not_grow_with_its_rows(tmp_path: Path) -> None:
    file = tmp_path / "ep.tsv"
    peaks = []
    for many in (1_000, 4_000):
        file.write_text(ep(({**SHIRT, "id": str(n), "title": f"{n} {'긴 이름 ' * 40}"} for n in range(many)), SHIRT))
        tracemalloc.start()
        assert sum(isinstance(row, Offer) for row in EP.read(file)) == many
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 3_000 * 150  # the ids that were seen, no more


# --- for whatever strangers send -------------------------------------------------------------------------------------

HEADER = "\t".join([*SHIRT, "class", "update_time"]).encode() + b"\n"
NOISE = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@NOISE
@given(st.sampled_from([b"", HEADER, HEADER[:-1], b"\xff\xfe", b"\x1f\x8b"]), st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_feed_error(read: Read, start: bytes, noise: bytes) -> None:
    with contextlib.suppress(FeedError):
        assert all(isinstance(row, FeedRow) for row in read(start + noise))


@NOISE
@given(st.data())
def test_a_feed_damaged_anywhere_raises_nothing_but_a_feed_error(read: Read, data: st.DataObject) -> None:
    rows = data.draw(st.sampled_from([[SHIRT, {**SHIRT, "id": "2"}], [change("I"), change("D", id="2")]]))
    feed = bytearray(ep(rows).encode(data.draw(st.sampled_from(["utf-8", "cp949", "utf-16"]))))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(feed) - 1))
        feed[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    with contextlib.suppress(FeedError):
        assert all(isinstance(row, FeedRow) for row in read(bytes(feed)))

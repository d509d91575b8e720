"""What an import does to the catalogue, and what the catalogue then shows: one scenario on SQLite and MariaDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Event, Thread
from typing import Any

import pytest

from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.filters import Filters, Sort
from mapsi.catalog.offer import BrokenRow, Delivery, Offer
from mapsi.catalog.query import Query
from mapsi.errors import CatalogError, FeedError, UsageError
from mapsi.taxonomy import load_taxonomy
from offers import offer, take_in, take_in_all

DAY = timedelta(days=1)
MONDAY = datetime(2026, 11, 16, 9, tzinfo=UTC)


def shown(catalog: Catalog, sort: Sort = "likeness", **filters: object) -> list[str]:
    page = catalog.listings.search(Query(filters=Filters(**filters), sort=sort, size=1000))  # type: ignore[arg-type]
    assert page.total == len(page.products)
    return [product.name for product in page.products]


def counts(catalog: Catalog, *offers: Offer, **more: object) -> tuple[int, int, int, int]:
    report = take_in(catalog, *offers, **more)  # type: ignore[arg-type]
    return report.new, report.changed, report.unchanged, report.gone


def first_id(catalog: Catalog) -> int:
    return catalog.listings.search(Query(size=1)).products[0].id


# --- imports ---------------------------------------------------------------------------------------------------------


def test_a_feed_is_a_whole_snapshot(catalog: Catalog) -> None:
    assert counts(catalog, offer("1", "a1"), offer("2", "b1"), offer("3", "c1")) == (3, 0, 0, 0)
    assert counts(catalog, offer("1", "a1"), offer("2", "b2"), offer("4", "d1")) == (1, 1, 1, 1)
    assert shown(catalog) == ["d1", "b2", "a1"]
    assert catalog.status().gone == 1


def test_the_same_feed_again_changes_nothing(catalog: Catalog) -> None:
    feed = (offer("1", "a1", sale_price=Decimal(20000)), offer("2", "b1", audience="women"))
    take_in(catalog, *feed)
    before = catalog.listings.search(Query(size=10))
    assert counts(catalog, *feed) == (0, 0, 2, 0)
    assert catalog.listings.search(Query(size=10)) == before


def test_an_offer_that_comes_back_is_the_same_one(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "a1"), offer("2", "b1"))
    before = {product.name: product.id for product in catalog.listings.search(Query(size=10)).products}
    take_in(catalog, offer("2", "b1"))
    assert counts(catalog, offer("1", "a1"), offer("2", "b1")) == (0, 1, 1, 0)
    after = {product.name: product.id for product in catalog.listings.search(Query(size=10)).products}
    assert after == before


def test_shops_do_not_touch_each_other(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "of one"), shop="one")
    take_in(catalog, offer("1", "of two"), shop="two")
    take_in(catalog, offer("2", "of one again"), shop="one")
    assert shown(catalog) == ["of one again", "of two"]


def test_ids_compare_byte_for_byte(catalog: Catalog) -> None:
    ids = ["a", "A", "ä", "a\u0308", "가", "\u1100\u1161", "🧥", "🧦"]
    assert counts(catalog, *(offer(each) for each in ids)) == (8, 0, 0, 0)
    assert counts(catalog, *(offer(each) for each in ids)) == (0, 0, 8, 0)


def test_an_id_keeps_no_blanks_around_it(catalog: Catalog) -> None:
    report = take_in(catalog, offer("a", link="https://shop.example.com/"), offer("a ", "second"))
    assert (report.new, report.broken_count) == (1, 1)
    assert counts(catalog, offer(" a ", link="https://shop.example.com/", image="https://img.example.com/a.jpg")) == (
        0,
        0,
        1,
        0,
    )


def test_a_name_and_its_slug_are_one_shop(catalog: Catalog) -> None:
    take_in(catalog, offer("1"), shop="My Shop")
    take_in(catalog, offer("2"), shop="my-shop")
    (facet,) = catalog.listings.facets().shops
    assert (facet.slug, facet.name, facet.count) == ("my-shop", "My Shop", 1)
    take_in(catalog, offer("2"), shop="my-shop", shop_name="우리 가게")
    assert catalog.listings.facets().shops[0].name == "우리 가게"
    with pytest.raises(UsageError):
        take_in(catalog, offer("1"), shop="***")


def test_broken_rows_are_reported_and_skipped(catalog: Catalog) -> None:
    broken = [BrokenRow(line, "no price") for line in range(2, 1502)]
    report = take_in(catalog, offer("1"), *broken, offer("2"))
    assert (report.new, report.broken_count, len(report.broken)) == (2, 1500, 1000)
    assert report.broken[0] == BrokenRow(2, "no price")


def test_what_an_offer_was_taken_without_is_told_and_counts_as_no_skipped_row(catalog: Catalog) -> None:
    taken = [BrokenRow(line, "no sale", taken=True) for line in range(2, 1502)]
    report = take_in(catalog, offer("1"), *taken, BrokenRow(1502, "no price"))
    assert (report.new, report.broken_count, len(report.broken)) == (1, 1, 1000)
    assert report.broken[:2] == (BrokenRow(1502, "no price"), taken[0])
    assert catalog.runs.find(report.import_id).faults[1].reason == "no sale"


def test_a_repeated_id_counts_once_and_is_reported(catalog: Catalog) -> None:
    feed = [*(offer(f"x{n}") for n in range(1500)), offer("x1", "second")]
    report = take_in(catalog, *feed)
    assert (report.new, report.broken_count) == (1500, 1)
    assert "'x1'" in report.broken[0].reason
    assert catalog.listings.products([2])[0].name == "린넨 셔츠"


@pytest.mark.parametrize(
    "unfit",
    [
        offer("x" * 51),
        offer(""),
        offer("1", price=0),
        offer("1", price="NaN"),
        offer("1", price="1e30"),
        offer("1", sale_price=Decimal(-1)),
        offer("1", currency="WON!"),
    ],
)
def test_an_offer_that_cannot_be_kept_is_a_broken_row(catalog: Catalog, unfit: Offer) -> None:
    report = take_in(catalog, unfit, offer("good"))
    assert (report.new, report.broken_count) == (1, 1)


def test_odd_and_long_texts_are_kept_as_far_as_they_fit(catalog: Catalog) -> None:
    odd = "a\x00b\ud800 <b>&amp;</b> 🧥 '\"\\%_"
    take_in(catalog, offer("1", odd, brand="x" * 1000, description="글" * 50_000, category="c" * 3000, group="g" * 900))
    (product,) = catalog.listings.search(Query(size=1)).products
    assert product.name == "ab? <b>&amp;</b> 🧥 '\"\\%_"
    assert len(product.brand) == 200


@pytest.mark.parametrize("feed", [[], [BrokenRow(2, "no id"), BrokenRow(3, "no id")]])
def test_a_feed_without_a_good_offer_changes_nothing(catalog: Catalog, feed: list[BrokenRow]) -> None:
    take_in(catalog, offer("1", "a1"))
    before = catalog.generation()
    with pytest.raises(FeedError):
        take_in(catalog, *feed)
    assert (shown(catalog), catalog.generation()) == (["a1"], before)


def test_a_feed_that_breaks_off_changes_nothing_and_is_booked(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "a1"))

    def breaks_off() -> Iterator[Offer]:
        yield from (offer(str(n), "new") for n in range(2500))
        raise FeedError("The feed is cut off in line 2501.")

    with pytest.raises(FeedError, match="2501"):
        take_in_all(catalog, breaks_off())
    assert shown(catalog) == ["a1"]
    (shop,) = catalog.status().shops
    assert shop.last_import is not None
    assert (shop.last_import.state, shop.last_import.reason) == ("failed", "The feed is cut off in line 2501.")
    assert counts(catalog, offer("1", "a1")) == (0, 0, 1, 0)


def test_a_first_feed_that_fails_leaves_no_shop(catalog: Catalog) -> None:
    with pytest.raises(FeedError):
        take_in(catalog)
    assert catalog.status().shops == ()


def test_readers_see_nothing_of_a_running_import(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "old"))
    seen: list[list[str]] = []

    def watched() -> Iterator[Offer]:
        for n in range(2500):
            if n % 1000 == 999:
                seen.append(shown(catalog))
            yield offer(str(n), f"new {n}")

    take_in_all(catalog, watched())
    assert seen == [["old"], ["old"]]
    assert catalog.listings.facets().offers == 2500


def test_a_second_import_of_a_shop_is_refused_while_one_runs(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapsi.catalog.imports.run.PATIENCE", 0)
    started, go_on = Event(), Event()
    refused: list[CatalogError] = []

    def slow() -> Iterator[Offer]:
        yield offer("1", "slow")
        started.set()
        assert go_on.wait(60)

    def second() -> None:
        assert started.wait(60)
        try:
            take_in(catalog, offer("1", "second"))
        except CatalogError as error:
            refused.append(error)
        take_in(catalog, offer("1", "of another shop"), shop="other")
        go_on.set()

    other = Thread(target=second)
    other.start()
    take_in_all(catalog, slow())
    other.join()
    assert "running" in refused[0].message
    assert sorted(shown(catalog)) == ["of another shop", "slow"]
    assert counts(catalog, offer("1", "slow")) == (0, 0, 1, 0)


def test_two_first_imports_at_once_both_arrive(catalog: Catalog) -> None:
    threads = [
        Thread(
            target=take_in, args=(catalog, *(offer(str(n), f"{shop} {n}") for n in range(300))), kwargs={"shop": shop}
        )
        for shop in ("one", "two", "three")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [facet.count for facet in catalog.listings.facets().shops] == [300, 300, 300]


def test_progress_tells_the_rows_read(catalog: Catalog) -> None:
    told: list[int] = []
    take_in_all(catalog, (offer(str(n)) for n in range(2100)), progress=told.append)
    assert told == [1000, 1000, 100]


def test_another_taxonomy_is_a_change_of_every_offer(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "원피스"))
    delivery = Delivery(shop="shop", format="test", origin="t", now=catalog.now())
    report = catalog.imports.take(delivery, [offer("1", "원피스")], load_taxonomy(["garment"]))
    assert report.changed == 1
    assert catalog.listings.products([first_id(catalog)])[0].classes == (("garment", "dress"),)


# --- prices ----------------------------------------------------------------------------------------------------------


def test_prices_are_noted_only_when_they_change(catalog: Catalog) -> None:
    take_in(catalog, offer("1", price=30000), now=MONDAY)
    take_in(catalog, offer("1", price=30000), now=MONDAY + DAY)
    take_in(catalog, offer("1", "new title", price=30000), now=MONDAY + 2 * DAY)
    take_in(catalog, offer("1", price=30000, sale_price=Decimal(25000)), now=MONDAY + 3 * DAY)
    take_in(catalog, offer("2"), now=MONDAY + 4 * DAY)
    take_in(catalog, offer("1", price=25000), now=MONDAY + 5 * DAY)
    history = catalog.listings.prices(1)
    assert [(point.seen_at, point.lowest_price) for point in history] == [
        (MONDAY, Decimal(30000)),
        (MONDAY + 3 * DAY, Decimal(25000)),
    ]


def test_two_prices_of_one_moment_keep_the_last(catalog: Catalog) -> None:
    take_in(catalog, offer("1", price=30000), now=MONDAY)
    take_in(catalog, offer("1", price=10000), now=MONDAY)
    assert [point.lowest_price for point in catalog.listings.prices(1)] == [Decimal(10000)]


@pytest.mark.parametrize(
    ("price", "currency", "kept"),
    [
        ("29000", "KRW", "29000"),
        ("29.99", "USD", "29.99"),
        ("1.234", "KWD", "1.234"),
        ("0.5", "EUR", "0.50"),
        ("99", "XXX", "99"),
    ],
)
def test_prices_come_out_as_they_went_in(catalog: Catalog, price: str, currency: str, kept: str) -> None:
    take_in(catalog, offer("1", price=price, currency=currency))
    (product,) = catalog.listings.search(Query(size=1)).products
    assert (product.lowest_price, product.currency) == (Decimal(kept), currency)


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_sold_out_offers_live_but_are_not_shown(catalog: Catalog) -> None:
    take_in(
        catalog,
        offer("1", "here"),
        offer("2", "sold out", availability="out_of_stock"),
        offer("3", "soon", availability="preorder"),
    )
    assert shown(catalog) == ["soon", "here"]
    assert [product.name for product in catalog.listings.products([1, 2, 3])] == ["here", "soon"]
    assert catalog.listings.facets().offers == 2
    status = catalog.status()
    assert (status.living, status.shown) == (3, 2)


def test_products_come_in_the_order_of_their_ids(catalog: Catalog) -> None:
    take_in(catalog, *(offer(str(n), f"title {n}") for n in range(5)))
    names = [product.name for product in catalog.listings.products([4, 2, 99, 2, -1, 10**30, 1])]
    assert names == ["title 3", "title 1", "title 1", "title 0"]


def test_a_product_tells_all_that_is_shown(catalog: Catalog) -> None:
    take_in(
        catalog,
        offer("1", "린넨 셔츠", 30000, sale_price=Decimal(19900), brand="맵시", category="남성 > 셔츠", audience="men"),
        shop="Sample Shop",
        sample=True,
    )
    (product,) = catalog.listings.products([1])
    assert (product.name, product.shop, product.shop_name) == ("린넨 셔츠", "sample-shop", "Sample Shop")
    assert (product.lowest_price, product.brand, product.category) == (Decimal(19900), "맵시", "남성 > 셔츠")
    assert (product.audience, product.sample, product.picture) == ("men", True, "")
    assert product.classes == (("garment", "shirt"), ("style", "linen-shirt"))
    assert product.link == "https://shop.example.com/1"


FILTERED = (
    offer("1", "w dress", 10000, audience="women", category="Dresses"),
    offer("2", "m shirt", 20000, audience="men"),
    offer("3", "u shirt", 30000, audience="unisex"),
    offer("4", "k dress", 40000, audience="kids", category="Dresses"),
    offer("5", "n hat", 50000),
)


FILTERS: list[tuple[dict[str, Any], str]] = [
    ({}, "54321"),
    ({"min_price": Decimal(20000), "max_price": Decimal(40000)}, "432"),
    ({"min_price": Decimal("20000.001")}, "543"),
    ({"max_price": Decimal("1e40")}, "54321"),
    ({"min_price": Decimal("1e40")}, ""),
    ({"audiences": ("women",)}, "31"),
    ({"audiences": ("men", "kids")}, "432"),
    ({"audiences": ("unisex",)}, "3"),
    ({"classes": {"garment": ("dress",)}}, "41"),
    ({"classes": {"garment": ("dress", "hat")}}, "541"),
    ({"classes": {"garment": ("dress",), "style": ("one-piece",)}}, "41"),
    ({"classes": {"garment": ("dress",), "style": ("suit",)}}, ""),
    ({"classes": {"garment": ()}}, "54321"),
    ({"shops": ("shop", "nowhere")}, "54321"),
    ({"shops": ("nowhere",)}, ""),
    ({"shops": ("SHOP",)}, ""),
]


def test_filters_let_through_what_meets_all_of_them(catalog: Catalog) -> None:
    take_in(catalog, *FILTERED)
    names = {each.title: each.id for each in FILTERED}
    for filters, expected in FILTERS:
        assert "".join(names[name] for name in shown(catalog, **filters)) == expected, filters


def test_of_the_variants_the_cheapest_that_passes_is_shown(catalog: Catalog) -> None:
    take_in(
        catalog,
        offer("1", "cheap", 10000, group="g", audience="men"),
        offer("2", "middle", 20000, group="g", audience="women"),
        offer("3", "dear", 30000, group="g", audience="women"),
        offer("4", "alone", 15000),
    )
    assert shown(catalog) == ["alone", "cheap"]
    assert shown(catalog, audiences=("women",)) == ["middle"]
    assert shown(catalog, "price-up", min_price=Decimal(12000)) == ["alone", "middle"]
    assert shown(catalog, "price-down") == ["alone", "cheap"]


def test_browsing_pages_hold_each_product_once(catalog: Catalog) -> None:
    take_in_all(catalog, (offer(str(n), f"t{n}", 1000 + n % 3, group=f"g{n // 2}") for n in range(60)))
    for sort in ("likeness", "price-up", "price-down"):
        pages = [catalog.listings.search(Query(sort=sort, page=number, size=8)) for number in range(1, 6)]
        assert [len(page.products) for page in pages] == [8, 8, 8, 6, 0]
        assert {page.total for page in pages} == {30}
        assert len({product.id for page in pages for product in page.products}) == 30


def test_facets_count_what_is_shown(catalog: Catalog) -> None:
    assert catalog.listings.facets().price_min is None
    take_in(catalog, *FILTERED)
    take_in(catalog, offer("1", "m shirt", "9.5", currency="USD", audience="men"), shop="other")
    facets = catalog.listings.facets()
    assert [(shop.slug, shop.count) for shop in facets.shops] == [("shop", 5), ("other", 1)]
    assert facets.classes["garment"] == (("shirt", 3), ("dress", 2), ("hat", 1))
    assert facets.audiences == (("men", 3), ("women", 2), ("kids", 1), ("unisex", 1))
    assert (facets.price_min, facets.price_max, facets.offers) == (Decimal("9.5"), Decimal(50000), 6)


def test_the_generation_grows_with_every_import(catalog: Catalog) -> None:
    seen = [catalog.generation()]
    for _ in range(2):
        take_in(catalog, offer("1"))
        seen.append(catalog.generation())
    assert seen == sorted(set(seen))


def test_the_status_tells_the_last_import_of_each_shop(catalog: Catalog) -> None:
    take_in(catalog, offer("1"), BrokenRow(3, "no price"), shop="one")
    take_in(catalog, offer("1"), offer("2"), shop="two")
    one, two = catalog.status().shops
    assert one.last_import is not None
    assert two.last_import is not None
    assert (one.slug, one.living, one.last_import.broken, one.last_import.state) == ("one", 1, 1, "done")
    assert (two.slug, two.living, two.last_import.new, two.last_import.origin) == ("two", 2, 2, "a test")


def test_both_databases_number_offers_alike(new_database: Callable[[str], str]) -> None:
    numbered = []
    for kind in ("sqlite", "mariadb"):
        with open_catalog(new_database(kind)) as catalog:
            catalog.migrate()
            take_in_all(catalog, (offer(str(n), f"t{n}") for n in range(30)))
            take_in_all(catalog, (offer(str(n), f"t{n}") for n in range(10, 50)), shop="shop")
            take_in_all(catalog, (offer(str(n), f"o{n}") for n in range(5)), shop="other")
            numbered.append(
                {product.name: product.id for product in catalog.listings.search(Query(size=1000)).products}
            )
    assert numbered[0] == numbered[1]


def test_an_import_needs_an_aware_time(catalog: Catalog) -> None:
    with pytest.raises(UsageError):
        take_in(catalog, offer("1"), now=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_shop_is_not_taken_for_its_namesake(catalog: Catalog) -> None:
    take_in(catalog, offer("1"), shop="A+")
    with pytest.raises(UsageError, match="'A\\+'"):
        take_in(catalog, offer("2"), shop="A")
    take_in(catalog, offer("1"), offer("2"), shop="A+ ")
    take_in(catalog, offer("1"), offer("2"), offer("3"), shop="a")
    assert [(shop.name, shop.count) for shop in catalog.listings.facets().shops] == [("A+", 3)]


def test_a_row_that_cannot_be_read_does_not_take_its_living_offer_down(catalog: Catalog) -> None:
    take_in(catalog, offer("a", "first"), offer("b", "second"), offer("c", "third"))
    broken = (BrokenRow(2, "The price is no number.", "b"), BrokenRow(4, "The title is missing.", "new"))
    report = take_in(catalog, offer("a", "first"), *broken)
    assert (report.unchanged, report.gone, report.broken_count) == (2, 1, 2)
    assert [row.reason for row in report.broken] == [
        "The price is no number. Its offer stays as it was.",
        "The title is missing.",
    ]
    shown = {product.name for product in catalog.listings.search(Query(sort="price-up")).products}
    assert shown == {"first", "second"}


def test_of_a_broken_row_and_a_whole_one_with_its_id_the_whole_one_counts(catalog: Catalog) -> None:
    take_in(catalog, offer("a", "first", 9000))
    report = take_in(catalog, BrokenRow(2, "The price is no number.", "a"), offer("a", "first", 8000))
    assert (report.changed, report.unchanged) == (1, 0)
    assert report.broken[0].reason == "The price is no number."

"""Words in a Milvus: the contract of the embedded engine, kept up, built beside, gone and back while serving.

What test_words.py and test_words_mended.py say of any engine is said again here of Milvus Lite, over the network.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pymilvus import MilvusClient
from sqlalchemy import update

import test_words
import test_words_mended
from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.filters import Filters
from mapsi.catalog.listings import index_keeper, milvus_keeper
from mapsi.catalog.listings.engines import milvus_index, milvus_view
from mapsi.catalog.listings.milvus_keeper import PREFIX, MilvusKeeper
from mapsi.catalog.query import Query
from mapsi.catalog.records import WordsServer
from mapsi.catalog.store import changes
from mapsi.catalog.store.tables import State
from mapsi.errors import IndexUnavailableError, NotBuiltYetError
from mapsi.infer import Model
from offers import TAXONOMY, offer, take_in, take_in_all
from servers import Milvus
from small_house import House, _house
from test_index_keeper import random_feed, titles
from test_words import ALIKE, FOUND, OFFERS, search_at, slow_search

test_kinds = test_words.test_what_a_product_is_counts_before_what_is_written_about_it
test_a_season = test_words.test_a_season_brings_forward_and_leaves_nothing_out
test_variants = test_words.test_of_the_variants_the_best_hit_is_shown_then_the_cheapest
test_prices = test_words.test_prices_sort_both_ways_across_currencies
test_what_is_gone = test_words.test_gone_and_sold_out_offers_are_not_found
test_pages = test_words.test_pages_hold_each_product_once_and_end
test_left_out = (
    test_words_mended.test_of_words_that_no_product_has_together_the_nearest_are_found_and_what_was_left_out_is_said
)
test_kinds_near = test_words_mended.test_a_kind_that_nobody_sells_gives_way_to_the_kinds_near_it
test_colours_of_the_wider = (
    test_words_mended.test_a_colour_that_the_kind_does_not_come_in_is_sought_of_what_the_kind_is_one_of
)
test_few = test_words_mended.test_where_few_products_have_all_words_the_nearest_follow_them
test_how_many_come_first = test_words_mended.test_as_many_are_said_to_come_first_as_do


@pytest.fixture
def catalog(empty_sqlite: str, milvus_url: str) -> Iterator[Catalog]:
    """An empty catalogue with a mark of its own, whose words are in the Milvus."""
    with open_catalog(empty_sqlite, words_server=WordsServer(milvus_url, 0)) as opened:
        mark(opened)
        yield opened


def mark(catalog: Catalog) -> None:
    with catalog._database.write() as connection:
        connection.execute(update(State).values(mark=uuid4().hex))


@pytest.fixture(scope="module")
def twins(
    tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: bytes, milvus_url: str
) -> Iterator[tuple[Catalog, Catalog]]:
    """One catalogue of made-up offers, asked by the embedded engine and in the Milvus."""
    file = tmp_path_factory.mktemp("twins") / "catalog.sqlite3"
    file.write_bytes(migrated_sqlite)
    with open_catalog(file) as embedded, open_catalog(file, words_server=WordsServer(milvus_url, 0)) as there:
        mark(embedded)
        take_in_all(embedded, OFFERS)
        yield embedded, there


def test_every_word_is_found_and_what_only_looks_alike_is_not(catalog: Catalog) -> None:
    pairs = (*FOUND, *ALIKE)
    take_in_all(catalog, (offer(f"{n}", title, 1000 + n) for n, (_, title) in enumerate(pairs)))
    take_in_all(catalog, (offer(f"{n}", "양말 zzz 99", 1000 + n) for n in range(len(FOUND))), shop="other")
    found = {text: search_at(catalog, 1000 + n, text) for n, (text, _) in enumerate(pairs)}
    assert found == {text: [title] if (text, title) in FOUND else [] for text, title in pairs}


WORDS = ("Shirt", "린넨 원피스", "블랙 셔츠", "옷", "ㅅㅊ", "sh", "원피스샵")


@pytest.mark.parametrize("text", WORDS)
def test_the_order_is_the_rule_read_slowly_page_by_page(twins: tuple[Catalog, Catalog], text: str) -> None:
    """As test_words.py reads it; what is found inside a word alone has no points here to differ by."""
    wanted = slow_search(twins[1], text, "likeness")
    query = Query(words=text, size=11, exact=True)
    pages = [twins[1].listings.search(replace(query, page=1 + at)) for at in range(2 + len(wanted) // 11)]
    assert [int(product.link.rpartition("/")[2]) for page in pages for product in page.products] == wanted
    assert {page.total for page in pages} == {len(wanted)}


@pytest.mark.parametrize("text", ["Shirt", "블랙 셔츠", "shrit", "nothing 셔츠", "빨간 원피스", None])
def test_both_engines_give_the_same_page_and_the_same_counts(twins: tuple[Catalog, Catalog], text: str | None) -> None:
    """Ranges of prices are left out: of a product with a cheap and a dear variant Milvus knows the lowest and the
    highest price."""
    for filters in (Filters(), Filters(colors=("black",), classes={"garment": ("shirt",)})):
        query = Query(words=text, filters=filters, size=50)
        embedded, there = (each.listings.search(query) for each in twins)
        assert (there.products, there.total, there.instead) == (embedded.products, embedded.total, embedded.instead)
        assert (there.left_out, there.whole) == (embedded.left_out, embedded.whole)
        counts = [replace(each.listings.facets(query), prices=()) for each in twins]
        assert counts[1] == counts[0]


@pytest.mark.parametrize("typed", ["ㅅ", "셔", "co", "원ㅍ", "여름 ㅅ", '%"_', "zz"])
def test_both_engines_suggest_the_same(twins: tuple[Catalog, Catalog], typed: str) -> None:
    embedded, there = (each.listings.suggest(typed, TAXONOMY) for each in twins)
    assert there == embedded


def test_no_text_and_no_filter_gets_into_a_question_to_milvus(twins: tuple[Catalog, Catalog]) -> None:
    for text in ('" or number > 0 or "', "원피스%", "'; drop", "\\", "a_b%c"):
        hostile = Filters(shops=(text,), colors=(text,), classes={"garment": (text,), text: (text,)})
        assert twins[1].listings.search(Query(words=f"{text} 원피스", filters=hostile, size=9)).total == 0
        embedded, there = (each.listings.suggest(text, TAXONOMY) for each in twins)
        assert there == embedded


def test_of_very_many_products_counts_are_those_of_a_sample(
    twins: tuple[Catalog, Catalog], monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = twins[0].listings.facets(Query(words="셔츠"))
    monkeypatch.setattr(milvus_view, "SAMPLE", exact.offers // 2)
    told = twins[1].listings.facets(Query(words="셔츠"))
    assert told.offers == exact.offers
    assert dict(told.colors).keys() <= dict(exact.colors).keys()
    assert sum(shop.count for shop in told.shops) == exact.offers


def test_catching_up_gives_what_reading_anew_gives(catalog: Catalog) -> None:
    chance, url = random.Random(11), catalog._database.engine.url.render_as_string(hide_password=False)
    for round_ in range(4):
        take_in_all(catalog, [*random_feed(chance), offer("x")], shop=f"shop{round_ % 2}")
        with open_catalog(url) as fresh:
            for text in ("니트", "블랙 셔츠", "shirt"):
                query = Query(words=text, size=1000, exact=True)
                assert catalog.listings.search(query) == fresh.listings.search(query)
                counts = [replace(each.listings.facets(query), prices=()) for each in (catalog, fresh)]
                assert counts[0] == counts[1]
            assert catalog.listings.suggest("니", TAXONOMY) == fresh.listings.suggest("니", TAXONOMY)


def test_processes_share_one_index_and_see_each_others_changes(
    catalog: Catalog, empty_sqlite: str, milvus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_catalog(empty_sqlite, words_server=WordsServer(milvus_url, 0)) as other:
        take_in(catalog, offer("1", "니트"), offer("2", "셔츠"))
        assert titles(catalog, "니트") == ["니트"]
        built = MilvusClient(milvus_url).list_collections()
        take_in(catalog, offer("1", "니트 둘"), offer("2", "셔츠"))
        assert titles(other, "니트") == titles(catalog, "니트") == ["니트 둘"]
        take_in(other, offer("2", "셔츠"))
        assert titles(catalog, "니트") == titles(other, "니트") == []
        assert MilvusClient(milvus_url).list_collections() == built


def names_of(catalog: Catalog, client: MilvusClient) -> tuple[str, set[str]]:
    """The collection that serves the catalogue's words, and all of its collections of products."""
    with catalog._database.read() as connection:
        alias = milvus_keeper._alias(connection)
    found = {name for name in client.list_collections() if name.startswith(alias) and not name.endswith("_terms")}
    return client.describe_alias(alias)["collection_name"], found


def test_a_rebuilt_index_stands_beside_the_old_one_and_what_was_left_half_built_goes(
    catalog: Catalog, milvus_url: str
) -> None:
    client = MilvusClient(milvus_url)
    take_in(catalog, offer("1", "니트"), offer("2", "셔츠"))
    assert titles(catalog, "니트") == ["니트"]
    first, _ = names_of(catalog, client)
    milvus_index.MilvusIndex.create(catalog.listings._keeper._milvus, f"{first}half")  # type: ignore[attr-defined]
    assert catalog.listings.rebuild() == 2
    second, names = names_of(catalog, client)
    assert names == {first, second}
    assert first != second
    assert titles(catalog, "니트") == ["니트"]


def test_one_that_could_not_be_finished_goes_and_the_one_before_serves(
    catalog: Catalog, milvus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = MilvusClient(milvus_url)
    take_in(catalog, offer("1", "니트"))
    assert titles(catalog, "니트") == ["니트"]
    before = names_of(catalog, client)

    def full(*_: object, **__: object) -> None:
        raise IndexUnavailableError("Milvus is full.")

    with monkeypatch.context() as disk:
        disk.setattr(milvus_index.MilvusIndex, "write", full)
        with pytest.raises(IndexUnavailableError):
            catalog.listings.rebuild()
    assert names_of(catalog, client) == before


def test_a_collection_that_somebody_dropped_is_built_anew(catalog: Catalog, milvus_url: str) -> None:
    client = MilvusClient(milvus_url)
    take_in(catalog, offer("1", "니트"))
    assert titles(catalog, "니트") == ["니트"]
    name, _ = names_of(catalog, client)
    client.drop_alias(name.rpartition("_")[0].rpartition("_")[0])
    client.drop_collection(name)
    assert titles(catalog, "니트") == ["니트"]


def test_shops_that_share_a_milvus_keep_apart(
    catalog: Catalog, milvus_url: str, tmp_path: Path, migrated_sqlite: bytes
) -> None:
    file = tmp_path / "another.sqlite3"
    file.write_bytes(migrated_sqlite)
    with open_catalog(file, words_server=WordsServer(milvus_url, 0)) as other:
        mark(other)
        take_in(catalog, offer("1", "니트 하나"))
        take_in(other, offer("1", "니트 둘"))
        assert titles(catalog, "니트") == ["니트 하나"]
        assert titles(other, "니트") == ["니트 둘"]
        assert titles(catalog, "니트") == ["니트 하나"]


def test_many_are_built_beside_and_questions_are_told_so(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST", 1)
    monkeypatch.setattr(index_keeper, "SMALL", 1)
    take_in(catalog, offer("1", "니트"), offer("2", "니트 둘"))
    with pytest.raises(NotBuiltYetError, match="being built"):
        titles(catalog, "니트")
    catalog.listings.close()
    assert titles(catalog, "니트") == ["니트 둘", "니트"]


def test_the_number_of_listings_decides_where_words_are(empty_sqlite: str, milvus_url: str) -> None:
    def keeper() -> type:
        with open_catalog(empty_sqlite, words_server=WordsServer(milvus_url, 2)) as opened:
            opened.listings.facets()
            return type(opened.listings._keeper)

    with open_catalog(empty_sqlite) as opened:
        mark(opened)
        take_in(opened, offer("1", "니트"))
        assert keeper() is index_keeper.IndexKeeper
        take_in(opened, offer("1", "니트"), offer("2", "셔츠"))
        assert keeper() is MilvusKeeper


# --- gone, and back


@pytest.fixture
def shop(built_house: Path, tmp_path: Path, milvus: Milvus) -> Iterator[House]:
    """The small house, its words in the Milvus."""
    folder = tmp_path / "house"
    shutil.copytree(built_house, folder)
    server = WordsServer(milvus.url, 0)
    with open_catalog(folder / "catalog.db", words_server=server) as catalog:
        yield _house(catalog, Model.open(folder / "model", threads=1), folder)


def test_milvus_may_go_and_come_back_while_pages_are_served(shop: House, milvus: Milvus) -> None:
    client = shop.app().test_client()

    def by_words(text: str) -> Any:
        return client.get("/api/v1/search/words", query_string={"q": text})

    before = by_words("니트").get_json()
    assert before["total"] > 0
    assert client.get("/").status_code == 200
    assert client.get("/healthz").get_json()["words"] == "ok"
    milvus.kill()
    for text in ("코트", "니트"):
        answer = by_words(text)
        assert answer.status_code == 503
        assert answer.get_json()["error"] == {
            "code": "index_unavailable",
            "message": "Searching is not possible just now.",
            "hint": "Try again in a moment.",
        }
    page = client.get("/search?q=코트")
    assert (page.status_code, "지금은 찾을 수 없어요." in page.text) == (503, True)
    for address in ("/", "/account/login", "/about"):
        assert client.get(address).status_code == 200, address
    health = client.get("/healthz").get_json()
    assert (health["words"], health["status"]) == ("unreachable", "incomplete")
    milvus.start()
    shop.finder.catalog.listings._keeper._milvus._resting_until = 0.0  # type: ignore[attr-defined]
    assert client.get("/healthz").get_json()["words"] == "ok"
    assert by_words("니트").get_json() == before


def test_a_server_starts_without_the_milvus_that_has_its_words(shop: House, milvus: Milvus) -> None:
    milvus.kill()
    client = shop.app().test_client()
    assert client.get("/search?q=코트").status_code == 503
    for address in ("/", "/account/login", "/about", "/healthz"):
        assert client.get(address).status_code == 200, address
    milvus.start()
    shop.finder.catalog.listings._keeper._milvus._resting_until = 0.0  # type: ignore[attr-defined]
    assert client.get("/search?q=코트").status_code == 200


def test_one_thread_writes_what_changed_and_all_are_answered(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "니트"))
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda _: titles(catalog, "니트"), range(4))) == [["니트"]] * 4
    assert PREFIX in names_of(catalog, MilvusClient(catalog.listings._keeper._milvus._url))[0]  # type: ignore[attr-defined]

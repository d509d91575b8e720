"""When products of several shops are one: by what they share, never against what a seller tells apart."""

from __future__ import annotations

import random
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from mapsi.catalog.listings.same_products import OwnProduct, Statement, components, link
from mapsi.catalog.product import Evidence

GTIN, OTHER_GTIN = Evidence("gtin", "08801234567893"), Evidence("gtin", "08801234567894")
MAKER = Evidence("mpn", "NIKE DD1391100")


def picture(brand: str, digest: str = "ab") -> Evidence:
    return Evidence("picture", digest, brand)


def says(shop: int, product: str, *evidence: Evidence, seller: str = "", parted: bool = False) -> Statement:
    return Statement((shop, product), frozenset({(shop, seller)}), frozenset(evidence), parted)


def joined(*statements: Statement) -> list[set[str]]:
    """Each set of products that are one, as ``1a 2b``."""
    return [{f"{shop}{key}" for shop, key in whole} for whole in components(link(statements))]


def test_a_gtin_or_brand_with_makers_number_or_picture_with_brand_makes_products_one() -> None:
    for why in (GTIN, MAKER, picture("NIKE")):
        assert joined(says(1, "a", why), says(2, "b", why), says(3, "c")) == [{"1a", "2b"}]


def test_a_chain_of_things_shared_makes_one_product_of_all() -> None:
    assert joined(says(1, "a", GTIN), says(2, "b", GTIN, MAKER), says(3, "c", MAKER)) == [{"1a", "2b", "3c"}]


def test_a_number_that_a_seller_gives_to_two_products_tells_nothing_of_them() -> None:
    assert joined(says(1, "a", GTIN), says(1, "b", GTIN), says(2, "c", GTIN)) == []
    assert joined(says(1, "a", GTIN), says(1, "b", GTIN), says(2, "c", GTIN), says(3, "d", GTIN)) == [{"2c", "3d"}]


def test_two_sellers_of_one_source_may_have_one_product() -> None:
    assert joined(says(1, "a", GTIN, seller="x"), says(1, "b", GTIN, seller="y")) == [{"1a", "1b"}]


def test_what_a_seller_tells_apart_is_not_joined_by_another_shops_group() -> None:
    whole = joined(says(1, "black", GTIN), says(1, "white", OTHER_GTIN), says(2, "both", GTIN, OTHER_GTIN))
    assert whole == [{"1black", "2both"}]


def test_a_picture_that_products_of_two_brands_have_is_a_stand_in() -> None:
    assert joined(says(1, "a", picture("NIKE")), says(2, "b", picture("NIKE")), says(3, "c", picture("PUMA"))) == []


def test_what_a_person_parted_is_joined_with_nothing() -> None:
    assert joined(says(1, "a", GTIN, parted=True), says(2, "b", GTIN), says(3, "c", GTIN)) == [{"2b", "3c"}]


_EVIDENCE = st.sampled_from([GTIN, OTHER_GTIN, MAKER, picture("NIKE"), picture("PUMA"), picture("NIKE", "cd")])
_STATEMENTS = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from("abc"), st.frozensets(_EVIDENCE, max_size=3), st.booleans()),
    max_size=10,
    unique_by=lambda entry: entry[:2],
)


@given(_STATEMENTS, st.integers())
def test_whatever_shops_say_the_rules_hold_in_any_order(
    said: list[tuple[int, str, frozenset, bool]], seed: int
) -> None:
    statements = [says(shop, key, *evidence, parted=parted) for shop, key, evidence, parted in said]
    links = link(statements)
    known = {each.product: each for each in statements}
    for one, other, why in links:
        assert why in known[one].evidence & known[other].evidence
        assert not known[one].parted
        assert not known[other].parted
    for whole in components(links):
        assert all(known[a].sellers.isdisjoint(known[b].sellers) for a, b in combinations(sorted(whole), 2))
    assert sum(len(whole) - 1 for whole in components(links)) == len(links)
    random.Random(seed).shuffle(statements)
    assert link(statements) == links


def test_components_are_those_of_a_slow_and_obvious_search() -> None:
    chance = random.Random(3)
    for _ in range(50):
        products: list[OwnProduct] = [(shop, "p") for shop in range(12)]
        statements = [
            Statement(
                each, frozenset({(each[0], "")}), frozenset(Evidence("gtin", str(chance.randrange(9))) for _ in "12")
            )
            for each in products
        ]
        said = {each.product: each.evidence for each in statements}
        found = {frozenset(_reached(each, said)) for each in products}
        assert set(components(link(statements))) == {whole for whole in found if len(whole) > 1}


def _reached(start: OwnProduct, said: dict[OwnProduct, frozenset[Evidence]]) -> set[OwnProduct]:
    reached = {start}
    while more := {b for a in reached for b in said if said[a] & said[b]} - reached:
        reached |= more
    return reached

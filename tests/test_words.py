"""Products by words, on both databases, against a slow and obvious reading of the rule."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mapsi.catalog import Catalog
from mapsi.catalog.filters import Filters, Sort
from mapsi.catalog.listings.index_keeper import listing_reader
from mapsi.catalog.offer import Offer
from mapsi.catalog.query import LARGEST_PAGE, LAST_PAGE, Query
from mapsi.catalog.text.asked import understand
from mapsi.catalog.text.class_words import class_keys
from mapsi.catalog.text.colors import ColorReader
from mapsi.catalog.text.facts import ListingText, Said
from mapsi.catalog.text.thesaurus import shipped_thesaurus
from mapsi.catalog.text.tokens import query_words, searchable, stem, words
from mapsi.errors import UsageError
from mapsi.taxonomy.synonyms import load_colors
from offers import TAXONOMY, NewCatalog, offer, take_in, take_in_all


def search(catalog: Catalog, text: str, sort: Sort = "likeness", **filters: object) -> list[str]:
    page = catalog.listings.search(Query(words=text, filters=Filters(**filters), sort=sort, size=1000, exact=True))  # type: ignore[arg-type]
    assert page.total == len(page.products)
    return [product.name for product in page.products]


FOUND = (
    ("코트", "울 롱코트 블랙"),
    ("원피스", "플로럴 린넨원피스"),
    ("옷", "옷장 정리함"),
    ("옷", "여름옷 세트"),
    ("옷", "여름옷장"),
    ("린넨원피스", "린넨 원피스 화이트"),
    ("린넨 원피스", "화이트 린넨원피스"),
    ("와이드팬츠", "데님 와이드 팬츠"),
    ("dress", "Two Summer Dresses"),
    ("dresses", "A summer dress"),
    ("shirts", "Oxford Shirt"),
    ("SHIRT", "oxford shirts"),
    ("ｓｈｉｒｔ", "Oxford Shirt"),
    ("oxf", "Oxford Shirt"),
    ("women's", "Womens parka"),
    ("t-shirt", "Graphic T-Shirt"),
    ("501", "Jeans 501 original"),
    ("the to a", "From the top to a toe"),
    ("be", "To be worn"),
    ("봄 shirt", "봄 신상 Shirt"),
    ("티", "반팔티"),
    ("café", "CAFÉ APRON"),
    ("cafe", "Café apron"),
    ("café", "Cafe apron"),
    ("cafe\u0301", "CAFE apron"),
    ("angstrom", "Ångström tee"),
    ("orsted", "Ørsted coat"),
    ("ガール", "ガール シャツ"),
    ("black", "블랙진"),
    ("검정", "Black dress"),
    ("빨간 치마", "Red pleated skirts"),
    ("청바지", "Slim Jeans"),
    ("jean", "데님팬츠"),
    ("바지", "Wide Trousers"),
    ("t-shirt", "반팔티셔츠"),
    ("바지", "슬랙스"),
    ("신발", "Canvas sneakers"),
    ("ㅋㄷㄱ", "울 카디건"),
    ("ㄱㄷㄱ 블랙", "Black 가디건"),
    ("ㅇㅍㅅ", "린넨원피스"),
    ("롱코트", "롱 니트 코트"),
    ("반팔 티", "라운드 반팔티"),
    ("dress for girls", "Girls party dress"),
)
"""A text, and a title that is found by it."""
ALIKE = (
    ("옷장", "옷 장식"),
    ("코트롱", "롱코트"),
    ("원스", "원피스"),
    ("hirt", "Shirt"),
    ("t-shirt", "Tommy Shirt"),
    ("shirt coat", "Shirt"),
    ("코트 원피스", "롱코트"),
    ("원피스피원", "원피 피스 스피 피원"),
    ("ㅋㄷㄱ", "가방"),
    ("ㄴㅌ", "모니터"),
    ("cotton", "측면"),
    ("청바지", "슬랙스"),
)
"""A text, and a title that only looks like it."""


def search_at(catalog: Catalog, price: int, text: str) -> list[str]:
    """What is found among the offers of a price."""
    return search(catalog, text, min_price=Decimal(price), max_price=Decimal(price))


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def cases(request: pytest.FixtureRequest, new_catalog: NewCatalog) -> Iterator[Catalog]:
    """The titles of all cases, each of them at a price of its own, and beside it something else."""
    titles = [title for _, title in (*FOUND, *ALIKE)]
    with new_catalog(request.param) as catalog:
        take_in_all(catalog, (offer(f"{n}", title, 1000 + n) for n, title in enumerate(titles)))
        take_in_all(catalog, (offer(f"{n}", "양말 zzz 99", 1000 + n) for n in range(len(FOUND))), shop="other")
        yield catalog


@pytest.mark.parametrize("number", range(len(FOUND)), ids=lambda number: FOUND[number][0])
def test_a_word_is_found(cases: Catalog, number: int) -> None:
    text, title = FOUND[number]
    assert search_at(cases, 1000 + number, text) == [title]


@pytest.mark.parametrize(
    "text", ["니트\u3164", "\u3164니트\uffa0", "니\u200b트", "니\u00ad트", "\u1102\u1175\u1110\u1173"]
)
def test_letters_that_show_nothing_part_no_word_and_hide_none(text: str) -> None:
    assert words(text) == ["니트"]


@pytest.mark.parametrize("number", range(len(ALIKE)), ids=lambda number: ALIKE[number][0])
def test_what_only_looks_alike_is_not_found(cases: Catalog, number: int) -> None:
    assert search_at(cases, 1000 + len(FOUND) + number, ALIKE[number][0]) == []


def test_what_a_product_is_counts_before_what_is_written_about_it(catalog: Catalog) -> None:
    take_in(
        catalog,
        offer("class", "데일리 기본템", category="Women > Dresses"),
        offer("brand", "기본 양말", brand="원피스 하우스"),
        offer("title-part", "린넨원피스"),
        offer("title", "린넨 원피스"),
        offer("color", "기본 모자", color="오트밀"),
    )
    assert search(catalog, "원피스") == ["린넨 원피스", "린넨원피스", "데일리 기본템", "기본 양말"]
    assert search(catalog, "오트밀") == ["기본 모자"]


@pytest.mark.parametrize(
    ("text", "first", "others"),
    [
        ("shirt", "Oxford shirt", ["Graphic T-Shirt", "Shirt dress"]),
        ("셔츠", "옥스포드셔츠", ["라운드 티셔츠", "셔츠 원피스"]),
        ("dress", "Red dress", ["Blue dress shirt", "Shirt with dress print"]),
        ("청바지", "Slim fit jeans", ["Denim jacket", "슬랙스"]),
        ("black shoes", "Shoes, black", ["Red shoes", "Black belt for shoes"]),
        ("men watch", "Watch for men", ["Watch for women", "Men belt with watch print"]),
        ("니트 조끼", "니트 조끼", ["조끼 니트"]),
        ("sunglasses for women", "Women sunglasses", ["Women dress"]),
    ],
)
def test_the_head_noun_decides(catalog: Catalog, text: str, first: str, others: list[str]) -> None:
    take_in(catalog, *(offer(str(n), title) for n, title in enumerate([first, *others])))
    page = catalog.listings.search(Query(words=text, size=10))
    assert page.products[0].name == first


def test_class_names_inside_others_are_not_found_by_them(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "Graphic T-Shirt"), offer("2", "Blue dress shirt"), offer("3", "라운드 티셔츠"))
    assert search(catalog, "dress") == []
    assert search(catalog, "셔츠") == search(catalog, "shirt") == ["Blue dress shirt"]


def test_the_category_is_believed_before_the_title(catalog: Catalog) -> None:
    take_in(
        catalog,
        offer("1", "Striped blouse", category="Women > Tops"),
        offer("2", "Top seller", category="Men > Belts"),
        offer("3", "Blouse", category="Women > Shirts & Blouses"),
    )
    assert search(catalog, "top") == ["Striped blouse", "Top seller"]
    assert search(catalog, "blouse") == ["Blouse", "Striped blouse"]


def test_a_season_brings_forward_and_leaves_nothing_out(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "여름 원피스"), offer("2", "원피스"))
    page = catalog.listings.search(Query(words="여름 원피스", size=10))
    assert [product.name for product in page.products] == ["여름 원피스", "원피스"]
    assert [p.name for p in catalog.listings.search(Query(words="여름", size=10)).products] == ["여름 원피스"]


def test_the_newest_come_first_among_equals(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "니트 하나"), offer("2", "니트 둘"))
    take_in(catalog, offer("3", "니트 셋"), shop="other")
    assert search(catalog, "니트") == ["니트 셋", "니트 둘", "니트 하나"]


def test_of_the_variants_the_best_hit_is_shown_then_the_cheapest(catalog: Catalog) -> None:
    take_in(
        catalog,
        offer("1", "니트 블랙", 30000, group="g"),
        offer("2", "니트 화이트", 20000, group="g"),
        offer("3", "가디건 블랙", 10000, group="g", brand="니트"),
        offer("4", "니트 블랙", 25000),
    )
    take_in(catalog, offer("1", "니트 그레이", 50000, group="g"), shop="other")
    assert search(catalog, "니트") == ["니트 그레이", "니트 블랙", "니트 화이트"]
    assert search(catalog, "블랙 니트") == ["니트 블랙", "니트 블랙"]
    assert search(catalog, "니트", min_price=Decimal(28000)) == ["니트 그레이", "니트 블랙"]
    assert search(catalog, "니트", max_price=Decimal(28000)) == ["니트 블랙", "니트 화이트"]


def test_prices_sort_both_ways_across_currencies(catalog: Catalog) -> None:
    take_in(
        catalog,
        offer("1", "니트 a", "29.90", currency="USD"),
        offer("2", "니트 b", 20),
        offer("3", "니트 c", "29.9", currency="EUR"),
        offer("4", "니트 d", 30),
    )
    assert search(catalog, "니트", "price-up") == ["니트 b", "니트 a", "니트 c", "니트 d"]
    assert search(catalog, "니트", "price-down") == ["니트 d", "니트 a", "니트 c", "니트 b"]
    assert search(catalog, "니트", "price-up", min_price=Decimal("29.9"), max_price=Decimal("29.95")) == [
        "니트 a",
        "니트 c",
    ]


def test_gone_and_sold_out_offers_are_not_found(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "니트 하나"), offer("2", "니트 둘"), offer("3", "니트 셋"))
    take_in(catalog, offer("1", "니트 하나"), offer("3", "니트 셋", availability="out_of_stock"))
    assert search(catalog, "니트") == ["니트 하나"]


def test_a_changed_title_is_found_by_its_new_words_only(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "파란 양말"))
    take_in(catalog, offer("1", "빨간 양말"))
    assert search(catalog, "파란") == []
    assert search(catalog, "빨간") == ["빨간 양말"]


def test_pages_hold_each_product_once_and_end(catalog: Catalog) -> None:
    take_in_all(catalog, (offer(str(n), f"니트 {n}", 1000 + n % 7) for n in range(50)))
    for sort in ("likeness", "price-up", "price-down"):
        pages = [
            catalog.listings.search(Query(words="니트", sort=sort, page=number, size=20))
            for number in (1, 2, 3, 4, LAST_PAGE)
        ]
        assert [page.total for page in pages] == [50] * 5
        assert [len(page.products) for page in pages] == [20, 20, 10, 0, 0]
        assert len({product.id for page in pages for product in page.products}) == 50


@pytest.mark.parametrize(
    "text", ["", "   ", "!?", "😀", "\x00", "'\"*%_", "x" * 257, "a b c d e f g h i j k l m n o p q r s t u v w x y"]
)
def test_a_text_without_words_or_too_long_is_refused(full_catalog: Catalog, text: str) -> None:
    with pytest.raises(UsageError):
        search(full_catalog, text)


@pytest.mark.parametrize(("page", "size"), [(0, 10), (-1, 10), (LAST_PAGE + 1, 10), (1, 0), (1, LARGEST_PAGE + 1)])
def test_pages_that_make_no_sense_are_refused(page: int, size: int) -> None:
    with pytest.raises(UsageError):
        Query(words="니트", page=page, size=size)


# --- against the rule, read slowly -----------------------------------------------------------------------------------

NOUNS = (
    "코트",
    "롱코트",
    "원피스",
    "린넨원피스",
    "셔츠",
    "옷",
    "니트",
    "dress",
    "dresses",
    "Shirt",
    "shirts",
    "T-shirt",
    "running",
)
ADJECTIVES = (
    "린넨",
    "블랙",
    "오버핏",
    "롱",
    "여름",
    "linen",
    "BLUE",
    "women's",
    "501",
    "a",
    "the",
    "봄신상",
    "２０２６",
)
BRANDS = ("무신사", "원피스샵", "Dress Code", "Shirt", "")
CATEGORIES = ("Women > Dresses", "남성 > 셔츠", "Tops > Knit", "", "신발")


def made_up_offers(count: int) -> Iterator[Offer]:
    chance = random.Random(7)
    for number in range(count):
        words = [*chance.choices(ADJECTIVES, k=chance.randint(0, 2)), *chance.choices(NOUNS, k=chance.randint(1, 2))]
        joint = chance.choice((" ", " ", ", ", ""))
        yield offer(
            str(number),
            joint.join(words),
            chance.choice((1000, 2000, 3000)),
            brand=chance.choice(BRANDS),
            category=chance.choice(CATEGORIES),
            color=chance.choice(("블랙", "blue", "")),
            group=chance.choice(("", "", "g1", "g2", "g3", "g4")),
        )


THESAURUS = shipped_thesaurus()
OFFERS = tuple(made_up_offers(150))


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def full_catalog(request: pytest.FixtureRequest, new_catalog: NewCatalog) -> Iterator[Catalog]:
    with new_catalog(request.param) as catalog:
        take_in_all(catalog, OFFERS)
        yield catalog


fragments = st.sampled_from([*NOUNS, *ADJECTIVES, *BRANDS, "Knit", "가디건", "드레스"]).flatmap(
    lambda word: st.tuples(st.integers(0, len(word)), st.integers(0, len(word))).map(
        lambda cut: word[min(cut) : max(cut)]
    )
)
queries = st.lists(
    st.one_of(fragments, fragments, st.text("코트롱셔츠 dreshit's-", max_size=4)), min_size=1, max_size=3
)


@settings(max_examples=80, deadline=None)
@example(texts=["Shirt"], joint=" ", sort="likeness")
@given(
    texts=queries, joint=st.sampled_from([" ", " ", ""]), sort=st.sampled_from(["likeness", "price-up", "price-down"])
)
def test_what_is_found_and_its_order_follow_the_rule(
    full_catalog: Catalog, texts: list[str], joint: str, sort: Sort
) -> None:
    text = joint.join(texts)
    if not words(text):
        return
    found = full_catalog.listings.search(Query(words=text, sort=sort, size=1000, exact=True)).products
    assert [int(product.link.rpartition("/")[2]) for product in found] == slow_search(full_catalog, text, sort)


@settings(max_examples=60, deadline=None)
@example(texts=["Shirt"], size=5)
@given(texts=queries, size=st.integers(2, 40))
def test_many_products_are_found_in_the_same_order_page_by_page(
    full_catalog: Catalog, texts: list[str], size: int
) -> None:
    text = " ".join(texts)
    if not words(text):
        return
    wanted = slow_search(full_catalog, text, "likeness")
    with patch("mapsi.catalog.listings.searching._SCORED_AT_ONCE", 0):
        query = Query(words=text, size=size, exact=True)
        pages = [full_catalog.listings.search(replace(query, page=1 + at)) for at in range(2 + len(wanted) // size)]
    assert [int(product.link.rpartition("/")[2]) for page in pages for product in page.products] == wanted
    assert {page.total for page in pages} == {len(wanted)}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    text=st.one_of(
        st.text(max_size=300), st.text(st.characters(), max_size=20), st.text("\"'*%_()+-~<>@:^ 코a\x00\\", max_size=30)
    )
)
def test_no_text_breaks_the_search(full_catalog: Catalog, text: str) -> None:
    try:
        page = full_catalog.listings.search(Query(words=text, size=10))
    except UsageError:
        return
    assert page.total >= len(page.products)


@given(shop=st.text(), slug=st.text(), low=st.decimals(min_value=0, allow_nan=False, allow_infinity=False))
@settings(max_examples=50, deadline=None)
def test_no_filter_breaks_the_search(full_catalog: Catalog, shop: str, slug: str, low: Decimal) -> None:
    filters = Filters(shops=(shop,), classes={"style": (slug,), slug: ("x",)}, min_price=low)
    assert full_catalog.listings.search(Query(words="코트", filters=filters, size=10)).total == 0


def test_ten_thousand_characters_are_refused_at_once(full_catalog: Catalog) -> None:
    with pytest.raises(UsageError):
        full_catalog.listings.search(Query(words="가" * 10_000, size=10))


def slow_search(catalog: Catalog, text: str, sort: Sort) -> list[int]:
    """Numbers of the offers to be shown: the rule, unit by unit, offer by offer. A product has what any of its variants
    has; the variant that is shown is the best hit, of equals the cheapest."""
    said = slow_said(catalog)
    whole = {word for each in said for word in (*each.title, *each.about, *each.classes)}
    asked = understand(query_words(text), THESAURUS, lambda word: stem(word) in whole, exact=True)
    products: dict[str, list[int]] = {}
    for number, each in enumerate(OFFERS):
        products.setdefault(each.group or f"={number}", []).append(number)
    hits = [
        (points, min(OFFERS[n].price for n in variants), variants)
        for variants in products.values()
        if (points := asked.points(together([said[n] for n in variants])))
    ]
    order: dict[Sort, Callable[[tuple[int, Decimal, list[int]]], tuple[object, ...]]] = {
        "likeness": lambda hit: (-hit[0], -max(hit[2])),
        "price-up": lambda hit: (hit[1], cheapest(hit[2])),
        "price-down": lambda hit: (-hit[1], cheapest(hit[2])),
    }
    shown = [
        min(hit[2], key=lambda n: (-asked.points(said[n]), OFFERS[n].price, n)) for hit in sorted(hits, key=order[sort])
    ]
    if sort != "likeness":  # the dearer variant of a product that matched better stands where its price belongs
        shown.sort(key=lambda number: OFFERS[number].price, reverse=sort == "price-down")
    return shown


def cheapest(variants: list[int]) -> int:
    return min(variants, key=lambda number: (OFFERS[number].price, number))


def together(variants: list[Said]) -> Said:
    return Said(
        facts=frozenset().union(*(each.facts for each in variants)),
        title=frozenset().union(*(each.title for each in variants)),
        about=frozenset().union(*(each.about for each in variants)),
        classes=frozenset().union(*(each.classes for each in variants)),
        words=tuple(word for each in variants for word in each.words),
    )


_said: dict[int, list[Said]] = {}


def slow_said(catalog: Catalog) -> list[Said]:
    """What each offer says, its classes as the catalogue tells them."""
    if id(catalog) not in _said:
        with catalog._database.read() as connection:
            reader = listing_reader(connection, THESAURUS)
        colors = ColorReader(load_colors())
        kept = {
            int(product.link.rpartition("/")[2]): product
            for product in catalog.listings.products(range(1, len(OFFERS) + 1))
        }
        _said[id(catalog)] = [
            reader.read(
                ListingText(
                    title=searchable(each.title),
                    brand=each.brand,
                    category=each.category,
                    color=each.color,
                    audience=each.audience,
                    classes=class_keys(dict(kept[number].classes), TAXONOMY),
                    colors=colors.keys(each.color, each.title),
                )
            )
            for number, each in enumerate(OFFERS)
        ]
    return _said[id(catalog)]


def test_no_word_means_two_things() -> None:
    thesaurus = shipped_thesaurus()
    hidden = [
        (form, meaning.name)
        for meaning in thesaurus.meanings
        for form in meaning.forms
        if (found := thesaurus.meaning_of(words(form))) is None or found.name != meaning.name
    ]
    assert hidden == [], "an inflection of another word (khakis, of khaki), or a word of another file"


@pytest.mark.parametrize("typed", ["chloe", "Chloé", "CHLOÉ", "chloe\u0301"])
def test_brands_are_found_with_their_accents_and_without(catalog: Catalog, typed: str) -> None:
    take_in(catalog, offer("1", "Silk bag", brand="Chloé"), offer("2", "Wool bag", brand="Chloe"), offer("3", "Bag"))
    assert sorted(search(catalog, typed)) == ["Silk bag", "Wool bag"]

"""Products by words, on both databases, against a slow and obvious reading of the rule."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

import pytest
import snowballstemmer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.filters import Filters, Sort
from mapsi.catalog.offer import Offer
from mapsi.catalog.product import Product
from mapsi.catalog.text import tokens
from mapsi.catalog.text.thesaurus import Term, shipped_thesaurus
from mapsi.errors import UsageError
from offers import TAXONOMY, offer, take_in, take_in_all


def search(catalog: Catalog, text: str, sort: Sort = "likeness", **filters: object) -> list[str]:
    page = catalog.search_words(text, Filters(**filters), sort, 1, 1000, exact=True)  # type: ignore[arg-type]
    assert page.total == len(page.products)
    return [product.name for product in page.products]


@pytest.mark.parametrize(
    ("text", "title"),
    [
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
    ],
)
def test_a_word_is_found(catalog: Catalog, text: str, title: str) -> None:
    take_in(catalog, offer("1", title), offer("2", "양말 zzz 99"))
    assert search(catalog, text) == [title]


@pytest.mark.parametrize(
    "text", ["니트\u3164", "\u3164니트\uffa0", "니\u200b트", "니\u00ad트", "\u1102\u1175\u1110\u1173"]
)
def test_letters_that_show_nothing_part_no_word_and_hide_none(text: str) -> None:
    assert tokens.words(text) == ["니트"]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("옷장", "옷 장식"),
        ("롱코트", "롱 니트 코트"),
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
    ],
)
def test_what_only_looks_alike_is_not_found(catalog: Catalog, text: str, title: str) -> None:
    take_in(catalog, offer("1", title))
    assert search(catalog, text) == []


def test_brand_category_colour_and_class_words_are_searched_after_titles(catalog: Catalog) -> None:
    take_in(
        catalog,
        offer("class", "데일리 기본템", category="Women > Dresses"),
        offer("brand", "기본 양말", brand="원피스 하우스"),
        offer("title-part", "린넨원피스"),
        offer("title", "린넨 원피스"),
        offer("color", "기본 모자", color="오트밀"),
    )
    assert search(catalog, "원피스") == ["린넨 원피스", "린넨원피스", "기본 양말", "데일리 기본템"]
    assert search(catalog, "오트밀") == ["기본 모자"]


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
        pages = [catalog.search_words("니트", Filters(), sort, number, 20) for number in (1, 2, 3, 4, 10**30)]
        assert [page.total for page in pages] == [50] * 5
        assert [len(page.products) for page in pages] == [20, 20, 10, 0, 0]
        assert len({product.id for page in pages for product in page.products}) == 50


@pytest.mark.parametrize(
    "text", ["", "   ", "!?", "😀", "\x00", "'\"*%_", "x" * 257, "a b c d e f g h i j k l m n o p q r s t u v w x y"]
)
def test_a_text_without_words_or_too_long_is_refused(catalog: Catalog, text: str) -> None:
    take_in(catalog, offer("1"))
    with pytest.raises(UsageError):
        search(catalog, text)


@pytest.mark.parametrize(("page", "size"), [(0, 10), (-1, 10), (1, 0), (1, 1001)])
def test_pages_that_make_no_sense_are_refused(catalog: Catalog, page: int, size: int) -> None:
    with pytest.raises(UsageError):
        catalog.search_words("니트", Filters(), "likeness", page, size)


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
def full_catalog(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('words') / 'words.sqlite3'}"
    else:
        url = request.getfixturevalue("mariadb").create_database("words")
    with open_catalog(url) as catalog:
        catalog.migrate()
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
@given(
    texts=queries, joint=st.sampled_from([" ", " ", ""]), sort=st.sampled_from(["likeness", "price-up", "price-down"])
)
def test_what_is_found_and_its_order_follow_the_rule(
    full_catalog: Catalog, texts: list[str], joint: str, sort: Sort
) -> None:
    text = joint.join(texts)
    if not slow_words(text):
        return
    found = full_catalog.search_words(text, Filters(), sort, 1, 1000, exact=True).products
    assert [int(product.link.rpartition("/")[2]) for product in found] == slow_search(full_catalog, text, sort)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    text=st.one_of(
        st.text(max_size=300), st.text(st.characters(), max_size=20), st.text("\"'*%_()+-~<>@:^ 코a\x00\\", max_size=30)
    )
)
def test_no_text_breaks_the_search(full_catalog: Catalog, text: str) -> None:
    try:
        page = full_catalog.search_words(text, Filters(), "likeness", 1, 10)
    except UsageError:
        return
    assert page.total >= len(page.products)


@given(shop=st.text(), slug=st.text(), low=st.decimals(min_value=0, allow_nan=False, allow_infinity=False))
@settings(max_examples=50, deadline=None)
def test_no_filter_breaks_the_search(full_catalog: Catalog, shop: str, slug: str, low: Decimal) -> None:
    filters = Filters(shops=(shop,), classes={"style": (slug,), slug: ("x",)}, min_price=low)
    assert full_catalog.search_words("코트", filters, "likeness", 1, 10).total == 0


def test_ten_thousand_characters_are_refused_at_once(full_catalog: Catalog) -> None:
    with pytest.raises(UsageError):
        full_catalog.search_words("가" * 10_000, Filters(), "likeness", 1, 10)


def slow_search(catalog: Catalog, text: str, sort: Sort) -> list[int]:
    """Numbers of the offers to be shown: the rule, word by word, offer by offer."""
    classes = {int(p.link.rpartition("/")[2]): p.classes for p in every_offer(catalog)}
    terms = list(dict.fromkeys(slow_words(text)))
    best: dict[tuple[str, str], tuple[tuple[int, int], Decimal, int]] = {}
    for number, each in enumerate(OFFERS):
        score = slow_score(terms, each, classes[number])
        product = ("group", each.group) if each.group else ("alone", each.id)
        if score is not None:
            hit = (score, each.price, number)
            best[product] = min(best.get(product, hit), hit)
    order: dict[Sort, Callable[[tuple[tuple[int, int], Decimal, int]], tuple[object, ...]]] = {
        "likeness": lambda hit: (hit[0], -hit[2]),
        "price-up": lambda hit: (hit[1], hit[2]),
        "price-down": lambda hit: (-hit[1], hit[2]),
    }
    return [number for _, _, number in sorted(best.values(), key=order[sort])]


_every: dict[int, list[Product]] = {}


def every_offer(catalog: Catalog) -> list[Product]:
    if id(catalog) not in _every:
        _every[id(catalog)] = catalog.products(range(1, len(OFFERS) + 1))
    return _every[id(catalog)]


def slow_score(terms: list[str], each: Offer, classes: tuple[tuple[str, str], ...]) -> tuple[int, int] | None:
    """(sum of places, number of weak hits), or None where a term is nowhere."""
    score = (0, 0)
    for term in THESAURUS.terms(terms):
        hits = [*slow_text_hits(term, each), *slow_class_hits(term, classes)]
        if not hits:
            return None
        score = (score[0] + min(hits)[0], score[1] + min(hits)[1])
    return score


def slow_text_hits(term: Term, each: Offer) -> Iterator[tuple[int, int]]:
    for place, text in enumerate((each.title, f"{each.brand} {each.category} {each.color}")):
        words = slow_words(text)
        if all(is_whole(word, words) for word in term.own):
            yield place, 0
        if len(term.own) == 1 and is_part(term.own[0], words):
            yield place, 1
        for form in term.others:
            if all(is_whole(word, words) for word in form) or is_long_part(form, words):
                yield place, 1


def slow_class_hits(term: Term, classes: tuple[tuple[str, str], ...]) -> Iterator[tuple[int, int]]:
    for axis, slug in classes:
        kind_of = [TAXONOMY.find(axis).find(one) for one in TAXONOMY.find(axis).lineage(slug)]
        names = [name for cls in kind_of for name in ((cls.name.ko, cls.name.en) if term.others else cls.all_words)]
        for words in map(slow_words, names):
            if all(is_whole(word, words) for word in term.own):
                yield 2, 0
            if any(all(is_whole(word, words) for word in form) for form in term.others):
                yield 2, 1
            if len(term.own) == 1 and is_part(term.own[0], words):
                yield 2, 1


def is_long_part(form: tuple[str, ...], words: list[str]) -> bool:
    return len(form) == 1 and hangul(form[0]) and len(form[0]) > 1 and is_part(form[0], words)


def is_whole(term: str, words: list[str]) -> bool:
    if hangul(term):
        return term in words or any(hangul(a + b) and a + b == term for a, b in pairwise(words))
    return term in words or (len(term) > 1 and slow_stem(term) in [slow_stem(w) for w in words if not hangul(w)])


def is_part(term: str, words: list[str]) -> bool:
    if hangul(term):
        return any(term in word for word in words)
    return len(term) > 1 and any(word.startswith(term) for word in words)


def hangul(text: str) -> bool:
    return all("가" <= c <= "힣" for c in text)


@lru_cache(maxsize=10_000)
def slow_stem(word: str) -> str:
    return str(snowballstemmer.stemmer("english").stemWord(word))


@lru_cache(maxsize=10_000)
def slow_words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).lower()
    without = re.sub("([a-z])'(?=[a-z])", r"\1", folded)
    return re.findall("[가-힣]+|[a-z0-9]+", without)

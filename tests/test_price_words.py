"""Prices in words: what they let through, and what they leave of the words around them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st

from mapsi.catalog import Catalog
from mapsi.catalog.filters import Filters
from mapsi.catalog.listings.priced import say
from mapsi.catalog.query import Query
from mapsi.catalog.text.price_words import PriceWords, read_price
from offers import TAXONOMY, NewCatalog, offer, take_in
from small_house import House, photo_bytes, photo_form

WORDS = "/api/v1/search/words"


def read(text: str) -> tuple[str, float | None, float | None]:
    said = read_price(text)
    low, high = (None if bound is None else float(bound) for bound in (said.low, said.high))
    return said.rest, low, high


@pytest.mark.parametrize(
    ("text", "rest", "low", "high"),
    [
        ("3만원 이하 원피스", "원피스", None, 30_000),
        ("원피스 3만원까지", "원피스", None, 30_000),
        ("3만원이하원피스", "원피스", None, 30_000),
        ("8010원 이하 원피스", "원피스", None, 8_010),
        ("3만원 이하의 의류", "의류", None, 30_000),
        ("~3만원 셔츠", "셔츠", None, 30_000),
        ("최대 5만원 바지", "바지", None, 50_000),
        ("5만원 안 넘는 바지", "바지", None, 50_000),
        ("가격 3만 5천원 이하 셔츠", "셔츠", None, 35_000),
        ("3.5만원 이하", "", None, 35_000),
        ("1만5000원 이하", "", None, 15_000),
        ("３만원　이하", "", None, 30_000),
        ("삼만오천원 이하 니트", "니트", None, 35_000),
        ("5만원 미만", "", None, 49_999),
        ("십만 원 이하 코트", "코트", None, 100_000),
        ("2,3만원대 셔츠", "셔츠", 20_000, 39_999),
        ("KRW30,000 이하", "", None, 30_000),
        ("dress under30,000won", "dress", None, 29_999),
        ("US$50 bag", "bag", 45, 55),
        ("10만원 이상", "", 100_000, None),
        ("10만원 넘는 코트", "코트", 100_001, None),
        ("3만 이상 코트", "코트", 30_000, None),
        ("2만원대", "", 20_000, 29_999),
        ("만원대 티셔츠", "티셔츠", 10_000, 19_999),
        ("15만원대", "", 150_000, 159_999),
        ("3만원대 이하", "", None, 39_999),
        ("3~5만원", "", 30_000, 50_000),
        ("3만원에서 5만원 사이 원피스", "원피스", 30_000, 50_000),
        ("20000~40000 원피스", "원피스", 20_000, 40_000),
        ("3만원 이상 5만원 미만 셔츠", "셔츠", 30_000, 49_999),
        ("5만원 이상 3만원 이하", "", 30_000, 50_000),
        ("5만원짜리 가방", "가방", 45_000, 55_000),
        ("20달러 이하 셔츠", "셔츠", None, 20),
        ("black dress under 30,000 won", "black dress", None, 29_999),
        ("shirt below 50000", "shirt", None, 49_999),
        ("shirts, 50000 or less", "shirts", None, 50_000),
        ("under $50", "", None, 49.99),
        ("dress for up to ₩30,000", "dress", None, 30_000),
        ("between 20000 and 40000", "", 20_000, 40_000),
        ("shirt $20 to $50", "shirt", 20, 50),
        ("$20-50 shirt", "shirt", 20, 50),
        ("over $20 and under $50 tee", "tee", 20.01, 49.99),
        ("$50+ shoes", "shoes", 50, None),
        ("coat with a price over 100k won", "coat", 100_001, None),
        ("dress for 30,000 won", "dress", 27_000, 33_000),
        ("rs. 500 shirt", "shirt", 450, 550),
        ("levis 501 under 60,000 won", "levis 501", None, 59_999),
        ("나이키 97 ~3만원", "나이키 97", None, 30_000),
        ("나이키 97 3만원 이하", "나이키 97", None, 30_000),
        ("this, but under $50", "", None, 49.99),
        ("이거 3만원 이하로", "", None, 30_000),
        ("under 0 won", "", None, 0),
    ],
)
def test_a_price_in_words_is_a_range_and_leaves_the_other_words(
    text: str, rest: str, low: float | None, high: float | None
) -> None:
    assert read(text) == (rest, low, high)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "원피스",
        "501 jeans",
        "나이키 97",
        "air max 97",
        "air max 1000",
        "250",
        "사이즈 250 이하",
        "100 이하 셔츠",
        "100% cotton",
        "over 100% cotton",
        "2XL",
        "2024 신상",
        "jackets from 1990",
        "between 1990 and 2000",
        "EUR 42 sneakers",
        "US 10 sneakers",
        "천 원 무늬",
        "천 원피스",
        "3만 원피스",
        "3만원피스",
        "under armour",
        "under 50",
        "저렴한 원피스",
        "cheap dress",
        "999999999999999원 이하",
        "20000 and 40000",
        "a1000000 이하",
    ],
)
def test_numbers_that_are_no_prices_stay_words(text: str) -> None:
    assert read_price(text) == PriceWords(rest=text)


AMOUNTS = st.integers(min_value=2_100, max_value=99_999_999)
REST = ("원피스", "black dress", "levis 501", "나이키 97", "100% cotton", "2XL 니트")


def written(amount: int, style: str) -> str:
    whole, part = divmod(amount, 10_000)
    in_tens = f"{whole}만{part or ''}" if whole else str(part)
    return {"plain": str(amount), "commas": f"{amount:,}", "tens": in_tens}[style]


@given(
    AMOUNTS,
    st.sampled_from(["plain", "commas", "tens"]),
    st.sampled_from(["", " "]),
    st.sampled_from(["이하", "이상", "까지", "부터"]),
    st.sampled_from(REST),
    st.booleans(),
)
def test_any_amount_is_read_in_korean_with_blanks_or_without(
    amount: int, style: str, blank: str, comparing: str, rest: str, first: bool
) -> None:
    phrase = f"{written(amount, style)}{blank}원{blank}{comparing}"
    said = read_price(f"{phrase} {rest}" if first else f"{rest} {phrase}")
    bounds = (None, amount) if comparing in ("이하", "까지") else (amount, None)
    assert (said.rest, said.low, said.high) == (rest, *bounds)


@given(
    AMOUNTS,
    st.sampled_from(["plain", "commas"]),
    st.sampled_from(["{} won", "{}won", "₩{}", "₩ {}", "KRW {}", "{}"]),
    st.sampled_from(["up to", "at most", "at least", "Up To"]),
    st.sampled_from(REST),
    st.booleans(),
)
def test_any_amount_is_read_in_english_with_a_currency_or_without(
    amount: int, style: str, money: str, comparing: str, rest: str, first: bool
) -> None:
    phrase = f"{comparing} {money.format(written(amount, style))}"
    said = read_price(f"{phrase} {rest}" if first else f"{rest} {phrase}")
    bounds = (amount, None) if comparing == "at least" else (None, amount)
    assert (said.rest, said.low, said.high) == (rest, *bounds)


@given(
    AMOUNTS, AMOUNTS, st.sampled_from(["{}원~{}원", "{}원에서 {}원 사이", "{}~{}원", "between {} and {}", "₩{}-₩{}"])
)
def test_any_two_amounts_are_a_range(one: int, other: int, between: str) -> None:
    said = read_price(between.format(one, other))
    assert (said.rest, said.low, said.high) == ("", *sorted((one, other)))


PIECES = st.sampled_from(
    [
        "3",
        "만",
        "원",
        "천",
        "대",
        " ",
        ",",
        ".",
        "~",
        "-",
        "$",
        "₩",
        "이하",
        "under",
        "between",
        "and",
        "k",
        "%",
        "억",
        "원피스",
        "\0",
        "１",
    ]
)


@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=60).map("".join)))
@example("1" * 256)
@example("3만" * 128)
@example("1,111" * 50)
@example(" " * 256)
@example("일" * 200 + "만원 이하")
@example("²만원 이하")
@example("١٠٠٠٠원 이하")
def test_whatever_is_typed_gives_bounds_that_an_address_takes(text: str) -> None:
    said = read_price(text)
    narrowed = said.narrow(Filters())
    for bound in (narrowed.min_price, narrowed.max_price):
        assert bound is None or (0 <= bound < 10**12 and -bound.as_tuple().exponent <= 4)  # type: ignore[operator]
    assert said.phrases or said == PriceWords(rest=text)


def test_a_price_that_was_chosen_counts_before_the_words() -> None:
    chosen = Query(filters=Filters(min_price=Decimal(10_000)))
    assert say(chosen, "3만원 이하 원피스") == Query(words="원피스", filters=chosen.filters)


def test_words_that_are_to_be_taken_as_they_stand_have_no_price() -> None:
    assert say(Query(exact=True), "3만원 이하") == Query(words="3만원 이하", exact=True)


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def stocked(request: pytest.FixtureRequest, new_catalog: NewCatalog) -> Iterator[Catalog]:
    """Twelve dresses from 10,000 to 120,000 won, and as many shirts."""
    with new_catalog(request.param) as catalog:
        dresses = (offer(f"d{n}", f"린넨 원피스 {n}", 10_000 * n, category="원피스") for n in range(1, 13))
        shirts = (offer(f"s{n}", f"Linen shirt {n}", 10_000 * n, category="Shirts") for n in range(1, 13))
        take_in(catalog, *dresses, *shirts)
        yield catalog


@pytest.mark.parametrize(
    ("text", "rest", "prices"),
    [
        ("3만원 이하 원피스", "원피스", range(10_000, 30_001)),
        ("3만원 미만 원피스", "원피스", range(10_000, 30_000)),
        ("linen shirt under 30,000 won", "linen shirt", range(10_000, 30_000)),
        ("shirt between 20000 and 40000", "shirt", range(20_000, 40_001)),
        ("10만원 이상", None, range(100_000, 10**6)),
    ],
)
def test_the_words_around_a_price_find_what_they_find_without_it(
    stocked: Catalog, text: str, rest: str | None, prices: range
) -> None:
    def found(query: Query) -> list[int]:
        return [product.id for product in stocked.listings.search(query).products if product.lowest_price in prices]

    query = say(Query(size=100), text)
    answer = stocked.listings.search(query)
    assert query.words == rest
    assert not answer.left_out
    assert [product.id for product in answer.products] == found(Query(words=rest, size=100)) != []
    assert stocked.listings.facets(query).price_min is not None


def test_a_price_stays_in_what_is_suggested_and_counts(stocked: Catalog) -> None:
    first = stocked.listings.suggest("30,000원 이하 원ㅍ", TAXONOMY)[0]
    assert (first.text, first.count) == ("30,000원 이하 원피스", 3)
    assert stocked.listings.search(say(Query(), first.text)).total == 3
    assert stocked.listings.suggest("린넨 원ㅍ 3만원 이하", TAXONOMY)[0].text == "린넨 원피스 3만원 이하"


@pytest.fixture
def client(house: House) -> FlaskClient:
    return house.app().test_client()


def test_a_page_shows_a_price_in_words_as_the_filter_that_it_is(client: FlaskClient) -> None:
    page = client.get("/search", query_string={"q": "3만원 이하 원피스", "lang": "ko"}).text
    assert "‘원피스’" in page
    assert 'name="max_price"' in page
    assert 'value="30,000"' in page
    assert "30,000원 이하" in page
    assert 'href="/search?q=%EC%9B%90%ED%94%BC%EC%8A%A4">30,000원 이하' in page
    english = client.get("/search", query_string={"q": "dress under 30,000 won", "lang": "en"}).text
    assert "Up to ₩29,999" in english


def test_a_price_alone_shows_everything_at_that_price(client: FlaskClient) -> None:
    page = client.get("/search", query_string={"q": "2만원 이하", "lang": "en"})
    assert page.status_code == 200
    assert "All products" in page.text
    assert "Up to ₩20,000" in page.text


def test_the_api_tells_which_bounds_counted(client: FlaskClient) -> None:
    told = client.get(WORDS, query_string={"q": "3만원 이하 원피스"}).get_json()
    assert (told["query"], told["searched_for"], told["left_out"]) == ("3만원 이하 원피스", "원피스", "")
    assert (told["min_price"], told["max_price"]) == (None, 30_000)
    assert told["products"]
    assert all(product["lowest_price"] <= 30_000 for product in told["products"])
    chosen = client.get(WORDS, query_string={"q": "3만원 이하 원피스", "min_price": "20000"}).get_json()
    assert (chosen["min_price"], chosen["max_price"]) == (20_000, None)
    alone = client.get(WORDS, query_string={"q": "3만원 이하"}).get_json()
    assert (alone["searched_for"], alone["with_all_words"]) == ("", alone["total"])


def test_a_photo_with_a_price_in_words_is_answered_as_with_the_filter(client: FlaskClient) -> None:
    def ask(query: str) -> dict[str, object]:
        found = client.post(f"/api/v1/search/image?{query}", **photo_form(photo_bytes())).get_json()
        return {name: value for name, value in found.items() if name != "garments"}

    assert ask("words=이거 3만원 이하로") == ask("max_price=30000")
    assert ask("words=원피스 3만원 이하") == ask("words=원피스&max_price=30000")
    assert ask("words=this, but under 30,000 won")["products"]


def test_a_photos_page_shows_the_price_and_not_its_words(client: FlaskClient) -> None:
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/").text)
    assert token is not None
    sent = client.post("/search/photo", **photo_form(photo_bytes(), csrf_token=token[1]))
    page = client.get(sent.headers["Location"], query_string={"words": "원피스로 3만원 이하", "lang": "ko"})
    assert "원피스로" in page.text
    assert "30,000원 이하" in page.text
    assert 'value="원피스로"' in page.text


def test_what_is_here_but_not_at_this_price_is_not_told_as_missing(client: FlaskClient) -> None:
    for text in ("coat under 50,000 won", "coat under 1,000 won"):
        page = client.get("/search", query_string={"q": text, "lang": "en"}).text
        assert "There is no “coat” here" not in page
        assert "come first" not in page or "product-price" in page


def test_products_with_all_words_are_counted_at_the_price_that_was_said(stocked: Catalog) -> None:
    query = Query(words="linen shirt 7", size=100)
    assert stocked.listings.search(query).with_all_words == 1
    assert stocked.listings.search(say(query, "linen shirt 7 under 30,000 won")).with_all_words == 0

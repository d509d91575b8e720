"""The shopping search ``shop.json``: asked over a real connection of a server that speaks it, limits and errors
included."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import shop_json_server as emulator
from mapsi.catalog import open_catalog
from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.errors import FeedError, QuotaSpentError, RefusedAddressError, UsageError
from mapsi.providers import FORMATS, read_offers
from mapsi.providers.quota import Quota, day_turns
from mapsi.providers.shop_items import parse_envelope, read_item
from mapsi.providers.shop_json import MAX_ITEMS, QueryResult, Selection, ShopJson, Tempo, queries_for
from mapsi.refresh.admitting import admit_source
from mapsi.refresh.queries import CountedCalls, NaverAccount
from mapsi.remote import Fetcher
from mapsi.remote.retry import LONGEST, retry_after
from mapsi.settings import Secret
from mapsi.taxonomy import load_taxonomy
from shop_json_server import CLIENT_ID, CLIENT_SECRET, Fault, MemoryQuota, ShopJsonServer, run_shop_json

NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)  # in Korea
TOTALS = {"원피스": 250, "셔츠": 100, "니트": 7, "슬랙스": 3000, "정장": 0, "모자": 101}


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def clock(self) -> float:
        return sum(self.slept)

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.clock())

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)


@pytest.fixture(scope="module")
def running() -> Iterator[ShopJsonServer]:
    with run_shop_json(totals=TOTALS) as server:
        yield server


@pytest.fixture
def server(running: ShopJsonServer) -> ShopJsonServer:
    running.reset()
    return running


@pytest.fixture
def time() -> Time:
    return Time()


Ask = Callable[..., ShopJson]


@pytest.fixture
def client(server: ShopJsonServer, time: Time) -> Ask:
    def build(
        base: str = server.url,
        key: str = CLIENT_ID,
        quota: Quota | None = None,
        calls_per_second: float = 10,
        seconds: float = 20,
        **selection: Any,
    ) -> ShopJson:
        return ShopJson(
            base,
            Secret(key),
            Secret(CLIENT_SECRET),
            fetcher=Fetcher(allow_hosts=(server.host,)),
            quota=quota or MemoryQuota(),
            selection=Selection(**selection),
            tempo=Tempo(
                calls_per_second=calls_per_second, seconds=seconds, now=time.now, clock=time.clock, sleep=time.sleep
            ),
        )

    return build


def only(answers: Iterator[QueryResult]) -> QueryResult:
    (answer,) = answers
    return answer


def offers_of(answer: QueryResult) -> list[Offer]:
    offers = [row for row in answer.rows if isinstance(row, Offer)]
    assert len(offers) == len(answer.rows)
    return offers


# --- one answer ------------------------------------------------------------------------------------------------------


def test_what_a_query_finds_comes_as_offers(server: ShopJsonServer, client: Ask) -> None:
    answer = only(client().ask(["니트"]))
    known = [emulator.product(number, "니트", server.url) for number in range(7)]
    wanted = [each for each in known if not each.flags]
    assert (answer.query, answer.total) == ("니트", len(wanted))
    for offer, each in zip(offers_of(answer), wanted, strict=True):
        assert offer.id == each.item["productId"]
        assert offer.title == each.item["title"].replace("<b>", "").replace("</b>", "").replace("&amp;", "&")
        assert (offer.price, offer.currency, offer.sale_price) == (Decimal(each.item["lprice"]), "KRW", None)
        assert offer.seller == each.item["mallName"]
        assert offer.brand == each.item["brand"] or each.item["maker"]
        assert offer.category == " > ".join(filter(None, (each.item[f"category{n}"] for n in (1, 2, 3, 4))))
        assert offer.link == each.item["link"]
        assert offer.image == each.item["image"]


def test_the_request_carries_the_keys_and_says_what_to_leave_out(server: ShopJsonServer, client: Ask) -> None:
    only(client(sort="asc", exclude=frozenset({"cbshop", "used"})).ask(["니트"]))
    assert server.asked == [{"query": "니트", "display": "100", "start": "1", "sort": "asc", "exclude": "used:cbshop"}]
    only(client(exclude=frozenset(), per_query=20).ask(["니트"]))
    assert server.asked[1] == {"query": "니트", "display": "20", "start": "1", "sort": "sim"}


@pytest.mark.parametrize("query", ["a&b=c", "남성 가디건", "men's 50% #1?", "✂️ 가위"])
def test_any_words_reach_the_server_as_they_are(server: ShopJsonServer, client: Ask, query: str) -> None:
    only(client(per_query=1).ask([f"  {query} "]))
    assert server.asked[0]["query"] == query


def test_used_goods_are_left_out_even_where_the_server_sends_them(server: ShopJsonServer, client: Ask) -> None:
    items = [{**emulator.product(n, "셔츠", server.url).item, "productType": str(n + 1)} for n in range(9)]
    server.fail(Fault(body=json.dumps({"total": 9, "items": items}).encode()))
    answer = only(client().ask(["셔츠"]))
    assert [offer.id for offer in offers_of(answer)] == [
        item["productId"] for item in items if item["productType"] not in "456"
    ]
    assert answer.left_out == 3
    server.fail(Fault(body=json.dumps({"total": 9, "items": items}).encode()))
    assert len(offers_of(only(client(exclude=frozenset()).ask(["셔츠"])))) == 9


ITEM = {
    "title": "린넨 <b>셔츠</b> &quot;A&quot;",
    "link": "https://shopping.example.com/gate?id=1&mode=x",
    "image": "https://img.example.com/1.jpg",
    "lprice": "29000",
    "hprice": "",
    "mallName": "네이버",
    "productId": "1",
    "productType": "1",
    "brand": "",
    "maker": "맵시",
    "category1": "패션의류",
    "category2": "남성의류",
    "category3": "",
    "category4": "",
}


@pytest.mark.parametrize("number", range(1, 13))
def test_the_twelve_types_tell_what_can_be_bought(number: int) -> None:
    kinds = {0: "in_stock", 1: None, 2: "out_of_stock", 3: "out_of_stock"}
    row = read_item({**ITEM, "productType": str(number)}, 1)
    assert (row.availability if isinstance(row, Offer) else row) == kinds[(number - 1) // 3]


def test_marks_and_entities_of_a_title_become_plain_text_and_empty_values_nothing() -> None:
    row = read_item(ITEM, 1)
    assert isinstance(row, Offer)
    assert (row.title, row.brand, row.category, row.audience) == ('린넨 셔츠 "A"', "맵시", "패션의류 > 남성의류", "men")


@pytest.mark.parametrize("hprice", ["", "0", "31000", "?", None])
def test_the_highest_price_changes_nothing(hprice: str | None) -> None:
    row = read_item({**ITEM, "hprice": hprice}, 1)
    assert isinstance(row, Offer)
    assert row.price == 29000


def test_gateways_may_write_numbers_and_null_and_leave_out_what_is_empty() -> None:
    item = {name: ITEM[name] for name in ("title", "link", "image")} | {"productId": 1, "lprice": 29000, "brand": None}
    row = read_item(item, 1)
    assert isinstance(row, Offer)
    assert (row.id, row.price, row.availability) == ("1", 29000, "in_stock")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"title": "<b></b>"}, "nothing but markup"),
        ({"title": ["x"]}, "'title' is not text"),
        ({"title": "\ud800"}, "'title' holds half a character"),
        ({"lprice": ""}, "no lprice"),
        ({"lprice": "0"}, "zero"),
        ({"lprice": 29000.5}, "is not text"),
        ({"productId": ""}, "no productId"),
        ({"productType": "13"}, "not one of 1 to 12"),
        ({"link": "https://shopping.example.com/a b"}, "can be used as it stands"),
        ({"link": "https://shopping.example.com/?a=1&amp;b=2"}, "can be used as it stands"),
        ({"link": "javascript:alert(1)"}, "not an absolute"),
        ({"image": "1.jpg"}, "image '1.jpg' is not an absolute"),
    ],
)
def test_an_item_that_cannot_be_used_says_why(change: dict[str, Any], reason: str) -> None:
    row = read_item({**ITEM, **change}, 4, about="셔츠: ")
    assert isinstance(row, BrokenRow)
    assert row.line == 4
    assert row.reason.startswith("셔츠: The ")
    assert reason in row.reason
    assert read_item("item", 1) == BrokenRow(1, "The item is not an object.")


# --- paging ----------------------------------------------------------------------------------------------------------


def test_paging_goes_to_the_last_item_that_can_be_reached_and_asks_for_none_twice(
    server: ShopJsonServer, client: Ask
) -> None:
    answer = only(client(exclude=frozenset()).ask(["슬랙스"]))
    assert [(int(asked["start"]), int(asked["display"])) for asked in server.asked] == [
        *((start, 100) for start in range(1, 1000, 100)),
        (1000, 100),
    ]
    assert answer.total == 3000
    known = [emulator.product(number, "슬랙스", server.url).item["productId"] for number in range(MAX_ITEMS)]
    assert [offer.id for offer in offers_of(answer)] == known


@pytest.mark.parametrize("per_query", [1, 99, 100, 101, 250, 999, 1000, 1001, 1050, 1098, 1099])
def test_no_more_items_come_than_were_asked_for(client: Ask, server: ShopJsonServer, per_query: int) -> None:
    answer = only(client(exclude=frozenset(), per_query=per_query).ask(["슬랙스"]))
    assert len(answer.rows) == per_query
    assert len(server.asked) == -(-min(per_query, 1000) // 100) + (per_query > 1000)


@pytest.mark.parametrize(("query", "calls"), [("정장", 1), ("셔츠", 1), ("모자", 2), ("원피스", 3)])
def test_paging_ends_where_the_items_end(server: ShopJsonServer, client: Ask, query: str, calls: int) -> None:
    answer = only(client(exclude=frozenset()).ask([query]))
    assert (len(answer.rows), len(server.asked)) == (TOTALS[query], calls)


def test_a_server_that_promises_more_than_it_has_does_not_hold_a_query(server: ShopJsonServer, client: Ask) -> None:
    server.fail(*[Fault(body=b'{"total": 99999, "items": []}')] * 20)
    assert only(client().ask(["셔츠"])).rows == ()


@pytest.mark.parametrize("sort", ["sim", "date", "asc", "dsc"])
def test_the_order_is_the_servers(server: ShopJsonServer, client: Ask, sort: str) -> None:
    answer = only(client(sort=sort).ask(["원피스"]))
    known = emulator.found("원피스", 250, sort, frozenset({"used", "rental", "cbshop"}), server.url)
    assert [offer.id for offer in offers_of(answer)] == [item["productId"] for item in known]
    prices = [offer.price for offer in offers_of(answer)]
    assert sort not in ("asc", "dsc") or prices == sorted(prices, reverse=sort == "dsc")


# --- several queries -------------------------------------------------------------------------------------------------


def test_a_product_found_by_several_queries_is_one_offer_but_stands_in_each_answer(client: Ask) -> None:
    whole = client(exclude=frozenset())
    first, second = whole.ask(["원피스", "셔츠"])
    shared = {offer.id for offer in offers_of(first)} & {offer.id for offer in offers_of(second)}
    assert len(shared) == 10
    rows = list(whole.search(["원피스", "셔츠"]))
    assert rows == [*first.rows, *(offer for offer in offers_of(second) if offer.id not in shared)]


def test_a_product_that_comes_twice_because_the_pages_moved_is_one_offer(server: ShopJsonServer, client: Ask) -> None:
    items = [{**ITEM, "productId": str(n)} for n in range(100)]
    for page in (items, items[99:]):
        server.fail(Fault(body=json.dumps({"total": 101, "items": page}).encode()))
    answer = only(client().ask(["셔츠"]))
    assert (len(offers_of(answer)), answer.left_out) == (100, 1)


def test_the_same_words_are_asked_for_once_and_blank_ones_never(server: ShopJsonServer, client: Ask) -> None:
    answers = list(client(per_query=1).ask(["니트", " 니트 ", "", "셔츠", "  "]))
    assert [answer.query for answer in answers] == ["니트", "셔츠"]
    assert server.queries == {"니트": 1, "셔츠": 1}


def test_a_query_is_asked_when_its_answer_is_wanted(server: ShopJsonServer, client: Ask) -> None:
    answers = client(per_query=1).ask(["니트", "셔츠"])
    assert not server.queries
    next(answers)
    assert server.queries == {"니트": 1}


def test_the_search_words_of_every_class_are_the_queries() -> None:
    taxonomy = load_taxonomy()
    queries = queries_for(taxonomy)
    assert ("style", "techwear", "테크웨어") in queries
    assert {(query.axis, query.slug) for query in queries} == {
        (axis.slug, cls.slug) for axis in taxonomy.listed.values() for cls in axis.classes
    }


def test_a_class_without_words_is_asked_for_by_its_korean_name(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    group = '[axis.hats]\nko = "모자"\nen = "Hats"\n[axis.hats.groups]\nall = { ko = "모두", en = "All" }\n'
    classes = "".join(
        f'[[axis.hats.classes]]\nslug = "{slug}"\nko = "{slug}모"\nen = "{slug}"\ngroup = "all"\nwords = {words}\n'
        for slug, words in (("a", "[]"), ("b", '["비니", "beanie"]'))
    )
    file.write_text(group + classes)
    assert queries_for(load_taxonomy([file])) == [("hats", "a", "a모"), ("hats", "b", "비니"), ("hats", "b", "beanie")]


def test_all_classes_of_the_paper_are_asked_for_in_one_run(server: ShopJsonServer, client: Ask) -> None:
    texts = [query.text for query in queries_for(load_taxonomy(["paper17"]))]
    quota = MemoryQuota()
    rows = list(client(per_query=10, quota=quota).search(texts))
    ids = [row.id for row in rows if isinstance(row, Offer)]
    assert len(ids) == len(rows) == len(set(ids)) > 300
    assert quota.left(NOON) == 25_000 - len(set(texts))


# --- pace and quota --------------------------------------------------------------------------------------------------


def test_calls_keep_their_pace(client: Ask, time: Time) -> None:
    list(client(per_query=1, calls_per_second=4).ask(["니트", "셔츠", "모자"]))
    assert time.slept == [0.25, 0.25]


def test_the_pace_is_one_that_the_server_takes(time: Time) -> None:
    with run_shop_json(per_second=10, clock=time.clock) as strict:
        client = ShopJson(
            strict.url,
            Secret(CLIENT_ID),
            Secret(CLIENT_SECRET),
            fetcher=Fetcher(allow_hosts=(strict.host,)),
            quota=MemoryQuota(),
            selection=Selection(exclude=frozenset()),
            tempo=Tempo(clock=time.clock, sleep=time.sleep),
        )
        strict.totals["양말"] = 3000
        assert len(only(client.ask(["양말"])).rows) == MAX_ITEMS
        assert strict.spent == 11


@pytest.fixture(params=["memory", "catalog"])
def quota(request: pytest.FixtureRequest, empty_sqlite: str) -> Iterator[Quota]:
    if request.param == "memory":
        yield MemoryQuota(3)
        return
    account = NaverAccount(client_id=Secret(CLIENT_ID), client_secret=Secret(CLIENT_SECRET), daily_calls=3)
    with open_catalog(empty_sqlite) as catalog:
        source = catalog.sources.add(admit_source("naver", format="shop-json", at="https://gateway.example.com"))
        yield CountedCalls(catalog, source, account)


def test_a_quota_turns_at_midnight_in_korea(quota: Quota) -> None:
    late = datetime(2026, 11, 22, 14, 59, 59, tzinfo=UTC)
    for left in (2, 1, 0):
        quota.spend(late)
        assert quota.left(late) == left
    with pytest.raises(QuotaSpentError, match="Continue after 2026-11-23 00:00 Korean time"):
        quota.spend(late)
    assert quota.left(late) == 0
    assert quota.left(late + timedelta(seconds=1)) == 3
    quota.spend(day_turns(late))
    assert quota.left(day_turns(late)) == 2


def test_a_quota_that_the_provider_calls_spent_is_spent_until_the_day_turns(quota: Quota) -> None:
    quota.exhaust(NOON)
    with pytest.raises(QuotaSpentError):
        quota.spend(NOON)
    assert quota.left(NOON + timedelta(days=1)) == 3


def test_a_quota_that_ends_between_queries_keeps_what_whole_queries_gave(server: ShopJsonServer, client: Ask) -> None:
    answers = client(quota=MemoryQuota(4), exclude=frozenset()).ask(["셔츠", "원피스", "모자"])
    assert [len(next(answers).rows), len(next(answers).rows)] == [100, 250]
    with pytest.raises(QuotaSpentError, match="4 calls of today"):
        next(answers)
    assert len(server.asked) == 4


def test_a_quota_that_ends_in_the_middle_of_a_query_gives_nothing_of_it(server: ShopJsonServer, client: Ask) -> None:
    answers = client(quota=MemoryQuota(3), exclude=frozenset()).ask(["셔츠", "슬랙스"])
    assert next(answers).query == "셔츠"
    with pytest.raises(QuotaSpentError):
        next(answers)
    assert server.queries == {"셔츠": 1, "슬랙스": 2}


def test_a_day_that_the_server_calls_spent_is_not_tried_again(server: ShopJsonServer, client: Ask, time: Time) -> None:
    quota = MemoryQuota()
    server.fail(emulator.DAY_SPENT)
    with pytest.raises(QuotaSpentError, match="provider says"):
        next(client(quota=quota).ask(["니트"]))
    assert quota.left(NOON) == 0
    assert time.slept == []


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (emulator.WRONG_KEY, r"keys are missing or wrong \(401, 024\)\. Check MAPSI_NAVER_CLIENT_ID"),
        (emulator.FORBIDDEN, r"may not use the search, or the address is not https \(403"),
        (Fault("SE02"), r"that many items at once \(display\) \(400, SE02\)"),
        (Fault("SE03"), r"place to begin at \(start\) \(400, SE03\)"),
        (Fault("SE04"), r"order \(sort\) \(400, SE04\)"),
        (Fault("SE05"), r"no shopping search \(404, SE05\)"),
        (Fault("SE06"), r"encoding of the words \(400, SE06\)"),
        (Fault(status=404, body=b"<html>"), r"no shopping search \(404\)"),
        (Fault(status=418, body=b'{"errorCode": "<script>"}'), r"fault of its own \(418\)"),
        (emulator.WEB_PAGE, "not JSON"),
        (emulator.BROKEN_JSON, "not JSON, or is cut off"),
        (emulator.OTHER_JSON, "has no items"),
        (Fault(body=b'{"items": [], "total": "many"}'), "total is not a number"),
        (Fault(body=b"[" * 100_000), "not JSON"),
    ],
)
def test_what_no_try_would_mend_is_told_at_once_and_nothing_comes(
    server: ShopJsonServer, client: Ask, time: Time, fault: Fault, sentence: str
) -> None:
    server.fail(fault, after=1)
    answers = client(exclude=frozenset()).ask(["모자"])
    with pytest.raises(FeedError, match=sentence) as caught:
        next(answers)
    assert not isinstance(caught.value, QuotaSpentError)
    assert CLIENT_SECRET not in str(caught.value)
    assert "<" not in str(caught.value)
    assert sum(time.slept) == pytest.approx(0.1)  # the pace, no second try


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        *(
            (fault, 20)
            for fault in (emulator.SYSTEM_ERROR, emulator.BAD_GATEWAY, emulator.BREAKS_OFF, emulator.TOO_FAST)
        ),
        (Fault(seconds=1.2), 0.6),
    ],
)
def test_what_passes_by_itself_is_tried_again(
    server: ShopJsonServer, client: Ask, fault: Fault, seconds: float
) -> None:
    quota = MemoryQuota()
    server.fail(fault, fault, after=1)
    answer = only(client(exclude=frozenset(), quota=quota, seconds=seconds).ask(["모자"]))
    assert len(answer.rows) == 101
    assert quota.left(NOON) == 25_000 - 4  # repeated calls count too


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (emulator.SYSTEM_ERROR, r"fault of its own \(500, SE99\)"),
        (emulator.BAD_GATEWAY, r"fault of its own \(502\)"),
        (emulator.BREAKS_OFF, "asked for '모자': The answer of 127.0.0.1 is cut off"),
    ],
)
def test_what_does_not_pass_is_told_after_three_tries(
    server: ShopJsonServer, client: Ask, time: Time, fault: Fault, sentence: str
) -> None:
    server.fail(*[fault] * 3, after=1)
    with pytest.raises(FeedError, match=sentence):
        next(client(exclude=frozenset()).ask(["모자"]))
    assert [round(seconds, 3) for seconds in time.slept if seconds >= 1] == [1, 2]


def test_refused_again_and_again_is_a_day_that_is_spent(server: ShopJsonServer, client: Ask) -> None:
    quota = MemoryQuota()
    server.fail(*[Fault(status=429, body=b"slow down")] * 3)
    with pytest.raises(QuotaSpentError, match="no more calls now"):
        next(client(quota=quota).ask(["니트"]))
    assert quota.left(NOON) == 25_000 - 3


@pytest.mark.parametrize("header", ["7", "Sun, 22 Nov 2026 03:00:07 GMT"])
def test_a_wait_that_the_server_asks_for_is_kept(server: ShopJsonServer, client: Ask, time: Time, header: str) -> None:
    server.fail(Fault("012", headers={"Retry-After": header}))
    only(client().ask(["니트"]))
    assert time.slept == [7]


def test_a_wait_of_more_than_a_minute_ends_the_run(server: ShopJsonServer, client: Ask, time: Time) -> None:
    server.fail(Fault("012", headers={"Retry-After": "3600"}))
    with pytest.raises(QuotaSpentError):
        next(client().ask(["니트"]))
    assert time.slept == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("0", 0), ("120", 120), (" 5 ", 5), ("Sun, 22 Nov 2026 03:02:00 GMT", 120), ("Sun, 22 Nov 2026 02:00:00 GMT", 0),
     ("999999999", LONGEST), ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST), ("1 Jan 999999999999 0:0:0", None),
     ("", None), ("soon", None), ("-1", None), ("1.5", None), ("٣", None), ("9" * 40, None)],
)  # fmt: skip
def test_a_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    assert retry_after(header, NOON) == seconds


def test_words_that_the_provider_does_not_take_are_reported_and_the_others_go_on(
    server: ShopJsonServer, client: Ask
) -> None:
    server.fail(Fault("SE01"))
    bad, good = client().ask(["니트", "셔츠"])
    assert bad == QueryResult(
        query="니트", rows=(BrokenRow(1, "니트: The provider does not take these words (SE01)."),), total=0, left_out=0
    )
    assert len(offers_of(good)) > 50


def test_wrong_keys_are_told_by_the_server(client: Ask) -> None:
    with pytest.raises(FeedError, match=r"keys are missing or wrong \(401, 024\)"):
        next(client(key="someone-else").ask(["니트"]))


def test_an_address_that_holds_no_search_is_reported(client: Ask, server: ShopJsonServer) -> None:
    with pytest.raises(FeedError, match=r"no shopping search \(404, SE05\)"):
        next(client(base=f"{server.url}/other").ask(["니트"]))
    assert next(client(base=f"{server.url}/").ask(["니트"])).total
    assert next(client(base=f"{server.url}/v1/search/shop.json").ask(["니트"])).total


def test_a_private_address_that_the_operator_did_not_name_is_not_asked(server: ShopJsonServer) -> None:
    quota = MemoryQuota()
    patient = Tempo(sleep=lambda _: None)
    stranger = ShopJson(server.url, Secret("a"), Secret("b"), fetcher=Fetcher(), quota=quota, tempo=patient)
    with pytest.raises(RefusedAddressError):
        next(stranger.ask(["니트"]))
    assert not server.asked


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"key": ""}, "keys for shop.json are missing"),
        ({"key": "a b"}, "characters that no key has"),
        ({"key": "키"}, "characters that no key has"),
        ({"sort": "price"}, "no order 'price'"),
        ({"exclude": frozenset({"new"})}, "'new' cannot be left out"),
        ({"per_query": 0}, "0 items"),
        ({"per_query": 1100}, "1100 items"),
    ],
)
def test_what_cannot_be_asked_is_told_before_anything_is_asked(
    client: Ask, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        client(**options)


def test_keys_hide_themselves(client: Ask) -> None:
    assert CLIENT_SECRET not in repr(vars(client()).keys())
    assert CLIENT_SECRET not in repr(client())


# --- answers kept in a file ------------------------------------------------------------------------------------------


def kept(server: ShopJsonServer, client: Ask, *queries: str) -> list[dict[str, Any]]:
    pages = []
    for query in queries:
        items = emulator.found(query, TOTALS[query], "sim", frozenset({"used"}), server.url)
        pages += [{"total": len(items), "start": 1, "items": items[at : at + 100]} for at in range(0, len(items), 100)]
    return pages


@pytest.mark.parametrize("layout", ["document", "pretty", "list", "lines"])
def test_kept_answers_are_read_as_if_they_came_just_now(
    tmp_path: Path, server: ShopJsonServer, client: Ask, layout: str
) -> None:
    pages = kept(server, client, "셔츠") if layout in ("document", "pretty") else kept(server, client, "셔츠", "원피스")
    text = {
        "document": lambda: json.dumps(pages[0]),
        "pretty": lambda: "\n" + json.dumps(pages[0], ensure_ascii=False, indent=2),
        "list": lambda: json.dumps(pages),
        "lines": lambda: "\n".join(map(json.dumps, pages)) + "\n\n",
    }[layout]()
    file = tmp_path / "answers.json"
    file.write_text(text)
    now = client(exclude=frozenset({"used"})).search(["셔츠"] if len(pages) == 1 else ["셔츠", "원피스"])
    assert list(read_offers("shop-json", file)) == list(now)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "not JSON, or is cut off"),
        ('{"items": []}', "have no items"),
        ('{"total": 1}', "no items"),
        ("[1]", "no items"),
        ("[]", "have no items"),
        ('{"items": []}\n{"items": [', "Line 2: The answer is not JSON"),
        ('{"errorMessage": "x", "errorCode": "024"}', "no items"),
    ],
)
def test_what_is_no_kept_answer_is_reported(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "answers.json"
    file.write_text(text)
    with pytest.raises(FeedError, match=sentence):
        list(read_offers("shop-json", file))


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.just([]))
NOISE = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@NOISE
@given(st.dictionaries(st.sampled_from([*ITEM, "other"]), VALUES))
def test_any_item_is_an_offer_or_broken_or_left_out(change: dict[str, Any]) -> None:
    row = read_item({**ITEM, **change}, 1)
    assert row is None or isinstance(row, Offer | BrokenRow)
    if isinstance(row, Offer):
        assert row.price > 0
        (row.title + row.link + row.image + row.id + row.seller + row.category).encode()


@NOISE
@given(st.sampled_from([b"", b"[", b'{"items": [', b'{"items": [{"title": "']), st.binary(max_size=200))
def test_no_kept_bytes_raise_anything_but_a_feed_error(tmp_path: Path, start: bytes, noise: bytes) -> None:
    file = tmp_path / "answers.json"
    file.write_bytes(start + noise)
    with contextlib.suppress(FeedError):
        assert all(isinstance(row, Offer | BrokenRow) for row in FORMATS["shop-json"].read(file))


@NOISE
@given(st.data())
def test_no_answer_damaged_anywhere_raises_anything_but_a_feed_error(data: st.DataObject) -> None:
    body = bytearray(json.dumps({"total": 1, "items": [ITEM]}, ensure_ascii=False).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    with contextlib.suppress(FeedError):
        for item in parse_envelope(bytes(body)).items:
            assert read_item(item, 1) is None or isinstance(read_item(item, 1), Offer | BrokenRow)

"""What a row says of itself: dates, condition, currency, placeholders, ids. The same in every format that can say
it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsi.catalog.offer import BrokenRow, Offer, Withdrawal
from mapsi.catalog.store.sale_prices import price_at
from mapsi.placeholders import stands_for_nothing
from mapsi.providers import FORMATS
from mapsi.providers.rows.addresses import parse_image, parse_link
from mapsi.providers.rows.bad_field import BadFieldError, shown
from mapsi.providers.rows.dates import parse_end, parse_span
from mapsi.providers.rows.fields import parse_availability, parse_condition, parse_yes
from mapsi.providers.rows.prices import parse_price
from mapsi.providers.rows.texts import plain, unescaped
from mapsi.providers.shop_items import read_item
from written_feeds import (
    SHIRT,
    SHIRT_OFFER,
    Read,
    Row,
    every_writer,
    everywhere,
    naver,
    only_offer,
    only_reason,
    rss,
    table,
)

Write = Callable[[Iterable[Row]], str]
NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)  # noon in Korea


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return Read(tmp_path)


# --- dates -----------------------------------------------------------------------------------------------------------

WITHOUT_SALE = "The offer was taken without its sale price."
SALE = {**SHIRT, "sale_price": "9900 KRW"}
PAST = [
    "2020-11-01T00:00+0900/2020-11-30T23:59+0900",
    "2020-11-01T00:00:00+09:00/2020-11-30T23:59:59+09:00",
    "2020-11-01T00:00Z/2020-11-30T23:59Z",
    "20201101T0000+09/20201130T2359+09",
    "2020-11-01/2020-11-30",
    "2020-11-01 00:00:00 / 2020-11-30 23:59:59",
    "2020-11-01 00:00 ~ 2020-11-30 24:00",
    "2020.11.01~2020.11.30",
    "2020년 11월 1일 ~ 2020년 11월 30일",
    "2020-11-01/P30D",
    "P1M/2020-11-30T00:00:00.000Z",
    "2020-W45-7/2020-W48-7",
    "/2020-11-30",
    "2026-11-26T12:00+0900/2026-11-27T12:00+0900",
    "2026-11-01/2026-11-26",
    "2026-11-27T00:00-0500/2026-11-30T00:00-0500",  # begins in two hours
    "2026-11-28/2026-12-24",
]
PRESENT = [
    "2026-11-27/2026-11-27",
    "2026-11-01T00:00+0900/2026-11-27T12:01+0900",
    "2026-11-26T00:00-0800/2026-11-26T20:00-0800",
    "2026-11-01/P1Y2M10DT2H30M",
    "2026-11-01/",
    "/2027-01-01",
    "2026/11/01 - 2026/12/31",
    "20261101 - 20261231",
    "2026. 11. 1. ~ 2026. 12. 30.",
    "1 Nov 2026 - 30 Dec 2026",
    "Nov. 1st, 2026 - Dec 30, 2026",
    "Sun, 01 Nov 2026 00:00:00 +0900/Wed, 30 Dec 2026 00:00:00 +0900",
    "11/01/2026 - 12/30/2026",
    "01/11/2026-30/12/2026",
    "30-11-2025/31-12-2026",
    "01.11.2026 - 03.12.2026",
    "2026-11-27 오전 11:59 ~ 2026-11-27 오후 12:01",
    "2026-11-27 11:59 AM/2026-11-27 12:01 PM",
    "2026-11-01T00:00:00[Asia/Seoul]/2026-12-30T00:00:00[Asia/Seoul]",
    "2026-11-01T00:00 PST/2026-12-30T00:00 PST",
    "2026-11-01T00:00+9/2026-12-30T00:00+9",
    "1793458800/1798000000",
    "1793458800000/1798000000000",
    "until 2026-12-30",
    "2026-12-30까지",
    "2026-11-01부터",
    "1970-01-01/9999-12-31",
    "0000-00-00 00:00:00/0000-00-00 00:00:00",
    "상시 할인",
]


@every_writer
@pytest.mark.parametrize("span", PAST)
def test_a_sale_outside_its_dates_is_none(read: Read, format: str, write: Write, span: str) -> None:
    row = {**SALE, "sale_price_effective_date": span}
    assert price_at(only_offer(read(write([row]), format, NOW)), NOW) == SHIRT_OFFER.price


@every_writer
@pytest.mark.parametrize("span", ["", "N/A", *PRESENT])
def test_a_sale_within_its_dates_is_one(read: Read, format: str, write: Write, span: str) -> None:
    row = {**SALE, "sale_price_effective_date": span}
    assert price_at(only_offer(read(write([row]), format, NOW)), NOW) == Decimal(9900)


@pytest.mark.parametrize(
    "span",
    ["soon", "2026-11-01", "2026-13-01/2026-14-01", "2026-12-01/2026-11-01", "11/01/2026-12/11/2026", "2026-02-30/2026-03-01",
     "2026-11-01T25:00/2026-11-02", "2026-11-01/x", "9" * 200, "2026-11-01/P9999Y", "26.11.01~26.12.30", "2026-11-01 13:00 PM/2026-12-01 1:00 PM"],
)  # fmt: skip
def test_a_sale_whose_dates_cannot_be_read_costs_itself_and_is_told(read: Read, span: str) -> None:
    offer, told = read(rss([{**SALE, "sale_price_effective_date": span}]), now=NOW)
    assert offer == SHIRT_OFFER
    reason = f"The sale_price_effective_date {shown(span)} cannot be read as a date. {WITHOUT_SALE}"
    assert told == BrokenRow(4, reason, taken=True)


@every_writer
@pytest.mark.parametrize(
    ("sale", "reason"),
    [
        ("soon", "The sale_price 'soon' is not a price."),
        ("-1", "The sale_price '-1' is not a price."),
        ("20%", "The sale_price '20%' is not a price."),
        ("5 USD", "The sale_price is in USD, the price in KRW."),
    ],
)
def test_a_sale_price_that_cannot_be_read_costs_itself_and_is_told(
    read: Read, format: str, write: Write, sale: str, reason: str
) -> None:
    offer, told, other = read(
        write([{**SHIRT, "sale_price": sale}, {**SHIRT, "id": "A2", "sale_price": "9900"}]), format
    )
    assert offer == SHIRT_OFFER
    assert isinstance(told, BrokenRow)
    assert (told.reason, told.taken) == (f"{reason} {WITHOUT_SALE}", True)
    assert isinstance(other, Offer)
    assert other.sale_price == Decimal(9900)


@every_writer
@pytest.mark.parametrize(
    "until",
    ["2020-01-01", "2026-11-26", "2026-11-27T12:00+09:00", "2026-11-27T02:59Z", "Thu, 26 Nov 2026 10:00:00 GMT"],
)
def test_an_offer_that_has_ended_is_left_out_and_told(read: Read, format: str, write: Write, until: str) -> None:
    assert "has ended" in only_reason(read(write([{**SHIRT, "expiration_date": until}]), format, NOW))


@every_writer
@pytest.mark.parametrize(
    "until",
    [
        "",
        "\\N",
        "상시",
        "never",
        "0000-00-00",
        "2026-11-27",
        "27.11.2026",
        "2026-11-27 11:59 PM",
        "2026-11-27까지",
        "9999-12-31",
        "2026-11-27T12:01+09:00",
        "20270101",
        "Sat, 28 Nov 2026 10:00:00",
    ],
)
def test_an_offer_that_has_not_ended_is_shown(read: Read, format: str, write: Write, until: str) -> None:
    offer = only_offer(read(write([{**SHIRT, "expiration_date": until}]), format, NOW))
    assert (offer.expires_at is not None) == until.startswith(("2", "S", "9"))
    assert offer.expires_at is None or offer.expires_at > NOW
    assert replace(offer, expires_at=None) == SHIRT_OFFER


def test_dates_beyond_what_databases_hold_are_as_good_as_for_ever(read: Read) -> None:
    row = {**SALE, "sale_price_effective_date": "0001-01-01/9999-12-30", "expiration_date": "9999-12-30"}
    offer = only_offer(read(rss([row]), now=NOW))
    assert price_at(offer, NOW) == Decimal(9900)
    assert offer.sale_from is not None
    assert offer.sale_from.year == 1970
    assert offer.expires_at == offer.sale_until == datetime(2999, 12, 31, tzinfo=UTC)


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001 - the zone comes with it
    st.timezones(),
    st.sampled_from(["T", " "]),
    st.sampled_from(["seconds", "minutes"]),
)
def test_every_moment_is_read_back(moment: datetime, zone: object, between: str, places: str) -> None:
    offset = moment.replace(tzinfo=zone).utcoffset()  # type: ignore[arg-type]
    assert offset is not None
    whole = timedelta(minutes=round(offset.total_seconds() / 60))
    moment = moment.replace(second=0 if places == "minutes" else moment.second, microsecond=0)
    sign = "+" if whole >= timedelta(0) else "-"
    hours, minutes = divmod(int(abs(whole).total_seconds()) // 60, 60)
    text = f"{moment.isoformat(between, places)}{sign}{hours:02}{minutes:02}"
    assert parse_end(text) == (moment - whole).replace(tzinfo=UTC)


@given(st.text(max_size=60) | st.from_regex(r"[0-9TPZW/:+ .-]{0,50}", fullmatch=True))
def test_any_text_is_a_date_or_a_value_error(text: str) -> None:
    for parse in (parse_end, parse_span):
        try:
            parse(text)
        except ValueError:
            continue


# --- what is not to be shown -----------------------------------------------------------------------------------------


@everywhere
@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("condition", "used", "is used"), ("condition", "Used - like new", "is used"), ("condition", "중고", "is used"),
        ("condition", "https://schema.org/UsedCondition", "is used"), ("condition", "REFURBISHED", "is refurbished"),
        ("condition", "리퍼", "is refurbished"), ("condition", "반품", "is returned"), ("condition", "전시", "is returned"),
        ("condition", "A급 중고", "is used"), ("condition", "중고(B급)", "is used"), ("condition", "B급", "is returned"),
        ("condition", "mystery", "'mystery' is not known"), ("adult", "19세 이상", "minors"), ("adult", "청소년 구매불가", "minors"), ("adult", "yes", "minors"), ("adult", "Y", "minors"),
        ("adult", "TRUE", "minors"), ("adult", "1", "minors"), ("adult", "예", "minors"), ("adult", "perhaps", "neither yes nor no"),
    ],
)  # fmt: skip
def test_used_goods_and_goods_for_adults_are_left_out_and_told(
    read: Read, format: str, write: Write, field: str, value: str, reason: str
) -> None:
    broken, whole = read(write([{**SHIRT, field: value}, {**SHIRT, "id": "A2"}]), format)
    assert isinstance(broken, BrokenRow)
    assert reason in broken.reason
    assert isinstance(whole, Offer)


@everywhere
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("condition", v)
        for v in (
            "new",
            "New",
            "NewCondition",
            "http://schema.org/NewCondition",
            "신상품",
            "새 상품",
            "정상품",
            "NULL",
            "",
        )
    ]
    + [("adult", v) for v in ("no", "N", "false", "0", "", "-", "아니오", "전체 이용가", "X")],
)
def test_new_goods_for_everybody_are_shown(read: Read, format: str, write: Write, field: str, value: str) -> None:
    assert only_offer(read(write([{**SHIRT, field: value}]), format)).id == "A1"


@pytest.mark.parametrize(("column", "value"), [("condition", "중고"), ("adult", "Y"), ("product_flag", "렌탈")])
def test_a_change_that_withdraws_takes_away_what_was_there(read: Read, column: str, value: str) -> None:
    file = read.file(naver([{**SHIRT, "class": "U", column: value}]))
    told, gone = FORMATS["naver-ep"].read(file)
    assert isinstance(told, BrokenRow)
    assert gone == Withdrawal("A1")


@pytest.mark.parametrize(
    ("text", "meant"),
    [(word, "in_stock") for word in ("available for order", "판매 중", "재고 있음", "정상", "1", "Y", "true", "limited availability", "3", "재고: 15",
                                    "재고 3개", "3 left", "in stock (online)", "In stock.", "품절임박", "진열함", "SALE", "active")]
    + [(w, "out_of_stock") for w in ("일시품절", "매진", "판매 중지", "단종", "재고없음", "0", "N", "false", "unavailable",
                                     "http://schema.org/SoldOut", "temporarily out of stock", "재고 0개", "진열안함", "숨김", "SUSPENSION", "coming soon",
                                     "출시 예정", "inactive")]
    + [("예약 판매", "preorder"), ("presale", "preorder"), ("입고 예정", "backorder"), ("back-order", "backorder")],
)  # fmt: skip
def test_availability_is_read_in_both_languages(text: str, meant: str) -> None:
    assert parse_availability(text) == meant


# --- currencies ------------------------------------------------------------------------------------------------------


@every_writer
@pytest.mark.parametrize(
    ("price", "currency", "meant"),
    [("49.00", "USD", "USD"), ("49.00", "usd ", "USD"), ("49.00", "$", "USD"), ("$49.00", "CAD", "CAD"), ("49.00 USD", "USD", "USD"),
     ("49,00", "EUR", "EUR"), ("49", "원", "KRW"), ("49", "", "KRW"), ("49", "-", "KRW"), ("¥49", "CNY", "CNY"), ("kr 49", "SEK", "SEK")],
)  # fmt: skip
def test_a_currency_may_stand_in_a_field_of_its_own(
    read: Read, format: str, write: Write, price: str, currency: str, meant: str
) -> None:
    row = {**SHIRT, "price": price, "sale_price": "9", "currency": currency}
    offer = only_offer(read(write([row]), format))
    assert (offer.price, offer.currency, offer.sale_price) == (Decimal(49), meant, Decimal(9))


@every_writer
@pytest.mark.parametrize(
    ("price", "currency", "reason"),
    [("49.00 EUR", "USD", "is in EUR, but the currency is given as USD"), ("₩49", "USD", "is in KRW"), ("49", "money", "currency 'money' is not known")],
)  # fmt: skip
def test_currencies_that_do_not_agree_are_reported(
    read: Read, format: str, write: Write, price: str, currency: str, reason: str
) -> None:
    assert reason in only_reason(read(write([{**SHIRT, "price": price, "currency": currency}]), format))


@pytest.mark.parametrize("attribute", ['currency="USD"', "currency='usd'", 'g:unit="USD"', 'currencyId="USD"'])
def test_a_currency_may_stand_beside_the_price(read: Read, attribute: str) -> None:
    feed = rss([{**SHIRT, "price": "49.00"}]).replace("<g:price>", f"<g:price {attribute}>")
    assert only_offer(read(feed)).currency == "USD"


@pytest.mark.parametrize("column", ["currency", "Currency Code", "price_currency"])
def test_a_tables_column_of_currencies_has_several_names(read: Read, column: str) -> None:
    assert only_offer(read(table([{**SHIRT, "price": "49.00", column: "USD"}], "\t"))).currency == "USD"


@given(
    st.decimals(1, 99_999_999, places=0),
    st.sampled_from(["{:,}원", "₩{:,}", "KRW {:,}", "{:,} KRW", "{}원~", "{:,}.000 KRW"]),
)
def test_every_price_in_won_is_read_back(amount: Decimal, written: str) -> None:
    assert parse_price(written.format(int(amount))) == (amount, "KRW") or (
        written.endswith(".000 KRW") and amount < 1000
    )


# --- nothing, escaped ------------------------------------------------------------------------------------------------

NOTHINGS = [
    "\\N",
    "NULL",
    "null",
    "(null)",
    "nan",
    "NaN",
    "-",
    "--",
    "—",
    "N/A",
    "n/a",
    "#N/A",
    "None",
    "undefined",
    "없음",
    "해당 없음",
    " ",
]


@everywhere
@pytest.mark.parametrize("nothing", NOTHINGS)
def test_words_for_nothing_are_no_values(read: Read, format: str, write: Write, nothing: str) -> None:
    optional = (
        "sale_price",
        "item_group_id",
        "brand",
        "color",
        "gender",
        "age_group",
        "description",
        "condition",
        "adult",
    )
    if format == "naver-ep":
        optional = (
            "normal_price",
            "item_group_id",
            "brand",
            "gender",
            "age_group",
            "condition",
            "adult",
            "product_flag",
        )
    offer = only_offer(read(write([{**SHIRT, **dict.fromkeys(optional, nothing)}]), format))
    assert (offer.sale_price, offer.group, offer.brand, offer.color, offer.audience) == (None, "", "", "", None)


@everywhere
@pytest.mark.parametrize("nothing", ["NULL", "\\N", "-", "N/A", "nan"])
@pytest.mark.parametrize("field", ["title", "link", "image_link", "price"])
def test_a_word_for_nothing_is_no_needed_value_either(
    read: Read, format: str, write: Write, field: str, nothing: str
) -> None:
    named = "price_pc" if field == "price" and format == "naver-ep" else field
    assert only_reason(read(write([{**SHIRT, field: nothing}]), format)) == f"The row has no {named}."


@everywhere
def test_the_group_zero_joins_nothing(read: Read, format: str, write: Write) -> None:
    assert only_offer(read(write([{**SHIRT, "item_group_id": "0", "brand": "0"}]), format)).group == ""


@pytest.mark.parametrize(
    "word", ["없음", "\u110b\u1165\u11b9\u110b\u1173\u11b7", "\u3000", "－", "Ｎ/Ａ", " - ", "\tNULL\n"]
)
def test_a_word_for_nothing_is_known_in_whatever_letters(word: str) -> None:
    assert stands_for_nothing(word)


def test_what_people_really_call_things_is_no_word_for_nothing() -> None:
    assert not any(
        map(stands_for_nothing, ["0", "Nana", "NULL 티셔츠", "None of the above", "A-1", "?", "없음표", "1"])
    )


@everywhere
@pytest.mark.parametrize("written", ["https://shop.example/p/1?a=1&#038;b=2", "https://shop.example/p/1?a=1&#x26;b=2",
                                     "https://shop.example/p/1?a=1&amp;amp;b=2", "<![CDATA[https://shop.example/p/1?a=1&b=2]]>"])  # fmt: skip
def test_escaping_is_undone_in_links_and_pictures(read: Read, format: str, write: Write, written: str) -> None:
    offer = only_offer(read(write([{**SHIRT, "link": written, "image_link": written}]), format))
    assert (offer.link, offer.image) == ("https://shop.example/p/1?a=1&b=2",) * 2


def test_a_parameter_that_is_called_like_a_sign_stays_one() -> None:
    address = "https://shop.example/?a=1&copy=2&reg=3&para=4&lt=5"
    assert parse_link(address, "link") == address


@everywhere
@pytest.mark.parametrize(
    "price", ["&#8361;29,000", "29,000&#50896;", "29,000&nbsp;원", "29&#44;000 KRW", "&amp;#8361;29,000"]
)
def test_escaping_is_undone_in_prices_and_ids(read: Read, format: str, write: Write, price: str) -> None:
    offer = only_offer(read(write([{**SHIRT, "price": price, "id": "A&amp;B&#45;1"}]), format))
    assert (offer.price, offer.currency, offer.id) == (Decimal(29000), "KRW", "A&B-1")


@everywhere
@pytest.mark.parametrize(
    "title",
    [
        "<MLB> 볼캡 블랙",
        "[무료배송] <Levis> 511 청바지",
        "사이즈<L 이상 티셔츠 L>M",
        "<MLB>",
        "<Label> 셔츠",
        "5 < 6 > 4",
        "<S 이상>",
    ],
)
def test_angle_brackets_around_words_take_none_away(read: Read, format: str, write: Write, title: str) -> None:
    assert only_offer(read(write([{**SHIRT, "title": title}]), format)).title == title


@pytest.mark.parametrize(
    ("written", "text"),
    [("<p class='x'>a</p><LABEL "
      "for=y>b</LABEL>", "a b"), ("<o:p></o:p>a", "a"), ("<![CDATA[<b>a</b>]]>", "a"), ("a<?php echo 1 ?>b", "a b"),
     ("&lt;![CDATA[a]]&gt;", "a"), ("<td nowrap>a</td>", "a"), ("<font color=red>a</font>b", "ab"), ("<time>a</time>", "a")],
)  # fmt: skip
def test_tags_of_html_are_taken_out(written: str, text: str) -> None:
    assert plain(written, 200) == text


@everywhere
def test_letters_come_out_composed_and_without_those_that_show_nothing(read: Read, format: str, write: Write) -> None:
    decomposed = "\u110c\u1169\u1101\u1175"
    row = {**SHIRT, "title": f"니트\u3164{decomposed}\u00ad\u200b", "id": "\u1109\u1167-1"}
    offer = only_offer(read(write([row]), format))
    assert (offer.title, offer.id) == ("니트 조끼", "셔-1")
    assert "invisible characters" in only_reason(read(write([{**SHIRT, "title": "\u3164\uffa0\u200d"}]), format))


# --- ids and groups --------------------------------------------------------------------------------------------------


@everywhere
@pytest.mark.parametrize("id", ["000123", "1e5", "12345678901234567890", "1.10", "0", "=1", "TRUE"])
def test_an_id_stays_letter_by_letter(read: Read, format: str, write: Write, id: str) -> None:
    assert only_offer(read(write([{**SHIRT, "id": id}]), format)).id == id


@everywhere
@pytest.mark.parametrize("id", ["1.23E+12", "8,80123E+12", "1E+15", "1.5e+300"])
def test_an_id_that_a_spreadsheet_shortened_is_reported(read: Read, format: str, write: Write, id: str) -> None:
    assert "spreadsheet has shortened" in only_reason(read(write([{**SHIRT, "id": id}]), format))
    offer = only_offer(read(write([{**SHIRT, "item_group_id": id, "gtin": id, "mpn": id}]), format))
    assert (offer.group, offer.gtin, offer.mpn) == ("", "", "")


@everywhere
def test_groups_that_differ_late_stay_apart(read: Read, format: str, write: Write) -> None:
    rows = [{**SHIRT, "id": str(n), "item_group_id": "x" * 60 + str(n // 2)} for n in range(4)]
    groups = [offer.group for offer in read(write(rows), format) if isinstance(offer, Offer)]
    assert groups[0] == groups[1] != groups[2] == groups[3]
    assert max(map(len, groups)) <= 50


def test_a_formula_that_keeps_a_number_whole_is_taken_off(read: Read) -> None:
    feed = 'id\ttitle\tlink\timage_link\tprice\n="00123"\t셔츠\thttps://shop.example/\ta.jpg\t="29000"\n'
    offer = only_offer(read(feed))
    assert (offer.id, offer.price) == ("00123", Decimal(29000))


# --- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    ["https://i.example/1.jpg, https://i.example/2.jpg", "https://i.example/1.jpg|https://i.example/2.jpg",
     "https://i.example/1.jpg;https://i.example/2.jpg", "https://i.example/1.jpg https://i.example/2.jpg",
     "https://i.example/1.jpg\nhttps://i.example/2.jpg", '["https://i.example/1.jpg","https://i.example/2.jpg"]',
     "https://i.example/1.jpg,", "https://i.example/1.jpg,,https://i.example/2.jpg", '"https://i.example/1.jpg"'],
)  # fmt: skip
def test_of_several_pictures_in_a_cell_the_first_is_taken(cell: str) -> None:
    assert parse_image(cell) == "https://i.example/1.jpg"


@pytest.mark.parametrize(
    ("cell", "picture"),
    [
        ('<img src="https://i.example/1.jpg" alt="a">', "https://i.example/1.jpg"),
        ("<IMG width=90 SRC='a/1.jpg'/>", "a/1.jpg"),
        ("&lt;img src=a/1.jpg&gt;", "a/1.jpg"),
        ("./1.jpg", "1.jpg"),
        ("photos\\1.jpg", "photos/1.jpg"),
        (", a/1.jpg", "a/1.jpg"),
    ],
)
def test_a_picture_is_read_out_of_markup_and_as_other_systems_write_paths(cell: str, picture: str) -> None:
    assert parse_image(cell) == picture


@pytest.mark.parametrize(
    "cell", ["<img src=", "<img alt='a'>", "<a href='1.jpg'>", "..\\1.jpg", "C:\\1.jpg", "\\\\nas\\1.jpg"]
)
def test_what_is_no_picture_in_markup_and_what_leaves_the_folder_is_refused(cell: str) -> None:
    with pytest.raises(BadFieldError):
        parse_image(cell)


@pytest.mark.parametrize(
    "cell", ["a/1.jpg, a/2.jpg", "a/1.jpg|a/2.jpg", "a/1.jpg;a/2.PNG;a/3.webp", '["a/1.jpg", "a/2.jpg"]']
)
def test_of_several_paths_the_first_is_taken(cell: str) -> None:
    assert parse_image(cell) == "a/1.jpg"
    assert parse_image(cell, "https://shop.example/feed.csv") == "https://shop.example/a/1.jpg"


@pytest.mark.parametrize(
    "one",
    [
        "https://i.example/w_500,h_500/1.jpg",
        "https://i.example/1.jpg?a=1|2;b=3",
        "https://proxy.example/x/https://i.example/1.jpg",
    ],
)
def test_marks_inside_one_address_part_nothing(one: str) -> None:
    assert parse_image(one) == one


# --- shop.json -------------------------------------------------------------------------------------------------------

ITEM = {
    "title": "셔츠",
    "link": "https://s.example/?id=1",
    "image": "https://i.example/1.jpg",
    "lprice": "29000",
    "productId": "1",
}


def test_an_item_of_the_search_keeps_the_same_rules() -> None:
    offer = read_item(
        {**ITEM, "title": "<b>&lt;MLB&gt;</b> 볼캡\u3164", "brand": "NULL", "maker": "-", "mallName": "네이버"}, 1
    )
    assert isinstance(offer, Offer)
    assert (offer.title, offer.brand, offer.seller) == ("<MLB> 볼캡", "", "네이버")
    for change, reason in (
        ({"productId": "1.2E+12"}, "shortened"),
        ({"lprice": "NULL"}, "no lprice"),
        ({"image": "-"}, "no image"),
    ):
        row = read_item({**ITEM, **change}, 1)
        assert isinstance(row, BrokenRow)
        assert reason in row.reason


@given(st.text(max_size=80))
def test_no_text_breaks_a_field(text: str) -> None:
    assert unescaped(unescaped(text)) is not None
    for parse in (parse_availability, parse_condition, lambda word: parse_yes(word, "adult"), parse_image):
        try:
            parse(text)
        except BadFieldError:
            continue


SERIALS = [
    ("46387", "2026-12-31"),
    ("46387.75", "2026-12-31T18:00:00"),
    ("36526", "2000-01-01"),
    ("60000", "2064-04-08"),
]


@pytest.mark.parametrize(("serial", "day"), SERIALS)
def test_a_day_as_spreadsheets_count_it_is_the_day_that_they_show(serial: str, day: str) -> None:
    assert parse_end(serial) == parse_end(day)


@pytest.mark.parametrize("between", ["/", " - ", "~", " "])
def test_a_span_may_be_of_days_as_spreadsheets_count_them(between: str) -> None:
    assert parse_span(f"46350{between}46360") == parse_span("2026-11-24/2026-12-04")


def test_the_last_day_of_spreadsheets_is_without_end() -> None:
    assert parse_end("2958465") == parse_end("9999-12-31")


@pytest.mark.parametrize("text", ["1", "29000", "1234", "464000", "46,386", "46387:00"])
def test_other_numbers_are_no_days(text: str) -> None:
    with pytest.raises(ValueError, match="date"):
        parse_end(text)

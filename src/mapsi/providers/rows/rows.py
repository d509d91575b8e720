"""Rows of named raw texts, from whatever format, -> offers and broken rows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.placeholders import stands_for_nothing
from mapsi.providers.rows.addresses import parse_image, parse_link
from mapsi.providers.rows.bad_field import BadFieldError, NotOfferedError, SparedFieldError, shown
from mapsi.providers.rows.date_words import says_no_end
from mapsi.providers.rows.dates import parse_end, parse_span
from mapsi.providers.rows.fields import parse_audience, parse_availability, parse_condition, parse_yes
from mapsi.providers.rows.ids import Ids
from mapsi.providers.rows.prices import parse_currency, parse_price
from mapsi.providers.rows.texts import INVISIBLE, plain, tidy, unescaped

REQUIRED = ("id", "title", "link", "image_link", "price")
FIELDS = frozenset(
    {
        *REQUIRED,
        "sale_price",
        "sale_price_effective_date",
        "currency",
        "availability",
        "expiration_date",
        "condition",
        "adult",
        "description",
        "brand",
        "product_type",
        "google_product_category",
        "color",
        "item_group_id",
        "gender",
        "age_group",
        "gtin",
        "mpn",
    }
)
"""The fields that are read, by the Merchant feed's names; the others are left alone."""

ALIASES = {"price_currency": "currency", "currency_code": "currency", "currency_id": "currency"}
"""Other names that tables have for them."""

MAX_ID = 50
MAX_TITLE = 150
MAX_DESCRIPTION = 5000
MAX_MPN = 70
MAX_WORDS = 255
"""Limits in characters: the Merchant feed's for the first four, the catalogue's own for every other text."""

_SALE = ("sale_price", "sale_price_effective_date")
TAKEN_WITHOUT = "The offer was taken without its sale price."
_ZERO_SAYS_SOMETHING = frozenset({"id", "productId", "title", "price", "price_pc", "lprice", "availability", "adult"})
_PROSE = frozenset({"title", "description"})
_EARLIEST, _LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2999, 12, 31, tzinfo=UTC)
_SHORT = 64
"""The longest word for "nothing", escaping included; longer prose is unescaped where it is read."""
_FORMULA = re.compile(r'="([^"]*)"')
_SHORTENED = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{1,3}")

Value = TypeVar("Value")
Row = tuple[int, Mapping[str, str]]
"""The line, from 1, that a row begins at, and its raw texts by field; an absent field and an empty one are the same."""


ToOffer = Callable[[Mapping[str, str], str, datetime], Offer]
"""(raw texts by a format's own names, base address, now) -> offer; raises :class:`BadFieldError`."""


def read_rows(
    rows: Iterable[Row | BrokenRow], base: str = "", now: datetime | None = None, to_offer: ToOffer | None = None
) -> Iterator[Offer | BrokenRow]:
    """An offer for each row, or why there is none; what is broken already is passed on. Of rows with one id, the first
    whole one counts.

    ``now`` is the moment that a row's dates are held against. ``to_offer`` reads a row whose fields have other names
    than the Merchant feed's.
    """
    ids = Ids()
    read_row, moment = to_offer or merchant_offer, now or datetime.now(UTC)
    for item in rows:
        if isinstance(item, BrokenRow):
            yield item
            continue
        line, row = item
        try:
            offer, without = read_spared(read_row, row, base, moment)
        except BadFieldError as error:
            yield BrokenRow(line, str(error), "" if isinstance(error, NotOfferedError) else _id_of(row))
            continue
        if ids.is_new(offer.id):
            yield offer
            yield from (BrokenRow(line, reason, taken=True) for reason in without)
        else:
            yield BrokenRow(line, f"The id {shown(offer.id)} appears in the feed more than once; the first one counts.")


def read_spared(read_row: ToOffer, row: Mapping[str, str], base: str, now: datetime) -> tuple[Offer, list[str]]:
    """The offer of a row, and what is told of the fields that it was taken without: a sale price that cannot be read,
    or whose dates cannot, costs itself. Raises :class:`BadFieldError`."""
    told: list[str] = []
    while True:
        try:
            return read_row(row, base, now), told
        except SparedFieldError as error:
            if not any(row.get(name) for name in error.fields):
                raise
            row = {name: "" if name in error.fields else text for name, text in row.items()}
            told.append(f"{error} {TAKEN_WITHOUT}")


def _id_of(raw: Mapping[str, str]) -> str:
    """The id of a row that is broken elsewhere; empty where that cannot be read either."""
    try:
        return parse_id(filled(raw).get("id", ""))
    except BadFieldError:
        return ""


def merchant_offer(raw: Mapping[str, str], base: str, now: datetime) -> Offer:
    """One row as an offer; raises :class:`NotOfferedError` where the row says itself that it is not to be shown, and
    :class:`BadFieldError` with a sentence on the first field that does not fit."""
    row = filled(raw)
    require(row, REQUIRED)
    get = row.get
    expires_at = refuse_unoffered(row, now)
    price, currency = _price_of(row["price"], get("currency", ""))
    sale_price = _sale_price_of(get("sale_price", ""), currency)
    sale_from, sale_until = _sale_dates_of(get("sale_price_effective_date", "") if sale_price else "")
    return Offer(
        id=parse_id(row["id"]),
        title=_title_of(row["title"]),
        link=parse_link(row["link"], "link", base),
        image=parse_image(row["image_link"], base),
        price=price,
        currency=currency,
        sale_price=sale_price,
        availability=parse_availability(get("availability", "")),
        description=plain(get("description", ""), MAX_DESCRIPTION),
        brand=name_of(get("brand", "")),
        category=_category_of(get("product_type", ""), get("google_product_category", "")),
        color=name_of(get("color", "")),
        group=_group_of(get("item_group_id", "")),
        audience=parse_audience(get("gender", ""), get("age_group", "")),
        seller=name_of(get("seller", "")),
        google_category=name_of(get("google_product_category", "")),
        gtin=_number_of(get("gtin", ""), MAX_ID),
        mpn=_number_of(get("mpn", ""), MAX_MPN),
        sale_from=sale_from,
        sale_until=sale_until,
        expires_at=expires_at,
    )


def filled(row: Mapping[str, str]) -> dict[str, str]:
    """The fields that hold something, escaping undone: what programs write for "nothing" (``NULL``, ``-``, ``없음``) is
    left out, and so is ``0`` where it is no answer."""
    values = {}
    for name, raw in row.items():
        escaped = ("&" in raw or "<![" in raw) and (name not in _PROSE or len(raw) <= _SHORT)
        text = unescaped(raw) if escaped else raw
        if stands_for_nothing(text) or (text.strip() == "0" and name not in _ZERO_SAYS_SOMETHING):
            continue
        # ="0012" is how a number is kept from being shortened by a spreadsheet.
        values[name] = _FORMULA.sub(r"\1", text) if text[0] == "=" else text
    return values


def refuse_unoffered(row: Mapping[str, str], now: datetime) -> datetime | None:
    """When an offer ends. Raises :class:`NotOfferedError` where a row withdraws what it names: not new, for adults
    only, expired."""
    kind = parse_condition(row.get("condition", ""))
    if kind:
        raise NotOfferedError(f"The product is {kind}, by its condition; only new products are shown here.")
    if parse_yes(row.get("adult", ""), "adult"):
        raise NotOfferedError("The product may not be sold to minors (adult), and nobody's age is asked here.")
    until = row.get("expiration_date", "")
    if not until or says_no_end(until):
        return None
    end = _read_date(parse_end, until, "expiration_date")
    if end <= now:
        raise NotOfferedError(f"The offer has ended: its expiration_date is {shown(until)}.")
    return _within(end)


def require(row: Mapping[str, str], names: Iterable[str]) -> None:
    """Raise :class:`BadFieldError` for the first of ``names`` that is not in a :func:`filled` row."""
    for name in names:
        if not row.get(name):
            raise BadFieldError(f"The row has no {name}.")


def tidy_id(text: str) -> str:
    """A shop's own number as it is compared: escaping undone, letters composed, white space made single."""
    return tidy(INVISIBLE.sub("", unescaped(text)))


def name_of(text: str) -> str:
    """The plain text of a field whose words repeat in a feed (brands, colours, categories), of at most ``MAX_WORDS``
    characters."""
    return _repeated(text) if len(text) <= MAX_WORDS else plain(text, MAX_WORDS)


@lru_cache(maxsize=4096)
def _repeated(text: str) -> str:
    return plain(text, MAX_WORDS)


def parse_id(text: str) -> str:
    """A shop's own number for an offer. One that was cut or shortened on its way could be several offers', so it is
    none."""
    name = tidy_id(text)
    if len(name) > MAX_ID:
        raise BadFieldError(f"The id {shown(name)} is longer than {MAX_ID} characters.")
    if not name.isprintable() or "\ufffd" in name:
        raise BadFieldError(f"The id {shown(name)} holds characters that cannot be printed.")
    if _SHORTENED.fullmatch(name):
        raise BadFieldError(f"The id {shown(name)} is a number that a spreadsheet has shortened: format it as text.")
    return name


def _group_of(text: str) -> str:
    """What joins variants. A name that is too long becomes a digest, for cut off it could join strangers; one that a
    spreadsheet has shortened joins nothing."""
    name = tidy_id(text)
    if _SHORTENED.fullmatch(name):
        return ""
    return name if len(name) <= MAX_ID and name.isprintable() else hashlib.sha256(name.encode()).hexdigest()[:MAX_ID]


def _number_of(text: str, longest: int) -> str:
    """A number that is the same in other shops; none where it was cut or shortened on its way."""
    number = plain(text, longest + 1)
    return "" if len(number) > longest or _SHORTENED.fullmatch(number) else number


def _title_of(text: str) -> str:
    title = plain(text, MAX_TITLE)
    if not title:
        raise BadFieldError("The title has nothing but markup or invisible characters.")
    return title


def _price_of(text: str, stated: str) -> tuple[Decimal, str]:
    try:
        told = parse_currency(stated) if stated else ""
    except ValueError:
        raise BadFieldError(f"The currency {shown(stated)} is not known.") from None
    price, currency = read_price(text, "price", told)
    if told and currency != told:
        raise BadFieldError(f"The price {shown(text)} is in {currency}, but the currency is given as {told}.")
    if not price:
        raise BadFieldError("The price is zero.")
    return price, currency


def read_price(text: str, field: str, stated: str = "") -> tuple[Decimal, str]:
    """A price and its currency, ``stated`` where it names none; raises :class:`BadFieldError`, naming ``field``."""
    try:
        return parse_price(text, stated)
    except ValueError:
        raise BadFieldError(f"The {field} {shown(text)} is not a price.") from None


def _sale_price_of(text: str, currency: str) -> Decimal | None:
    """Shops write zero for "there is none"."""
    if not text:
        return None
    try:
        price, its_currency = read_price(text, "sale_price", currency)
    except BadFieldError as error:
        raise SparedFieldError(str(error), *_SALE) from None
    if its_currency != currency:
        raise SparedFieldError(f"The sale_price is in {its_currency}, the price in {currency}.", *_SALE)
    return price or None


def _sale_dates_of(span: str) -> tuple[datetime | None, datetime | None]:
    """When a sale begins and ends, where it is said."""
    if not span or says_no_end(span):
        return None, None
    try:
        first, last = _read_date(parse_span, span, "sale_price_effective_date")
    except BadFieldError as error:
        raise SparedFieldError(str(error), *_SALE) from None
    return _within(first), _within(last)


def _within(moment: datetime) -> datetime:
    """A moment that every database can hold: what lies beyond is treated as for ever."""
    return max(_EARLIEST, min(moment, _LATEST))


def _read_date(parse: Callable[[str], Value], text: str, field: str) -> Value:
    try:
        return parse(text)
    except ValueError:
        raise BadFieldError(f"The {field} {shown(text)} cannot be read as a date.") from None


def _category_of(own: str, google: str) -> str:
    """The shop's own path, or else Google's, unless that is only a number from Google's table."""
    return name_of(own) or ("" if google.strip().isdigit() else name_of(google))

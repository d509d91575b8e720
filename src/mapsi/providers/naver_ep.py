"""Naver Shopping's product feed EP 3.0: the table that Korean shops publish already, whole or as a summary of changes.

Source of the columns: Naver's guide to the product feed for shops (상품DB URL), version 3.0.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from mapsi.catalog.offer import BrokenRow, Offer, Withdrawal
from mapsi.providers.arrivals.encoding import open_text
from mapsi.providers.provider import FeedRow, Provider, Terms
from mapsi.providers.rows.bad_field import BadFieldError, NotOfferedError, SparedFieldError, shown
from mapsi.providers.rows.fields import audience_of_category
from mapsi.providers.rows.rows import (
    Row,
    filled,
    merchant_offer,
    parse_id,
    read_price,
    read_rows,
    read_spared,
    require,
    tidy_id,
)
from mapsi.providers.table import TableColumns, read_names, read_table

CATEGORIES = ("category_name1", "category_name2", "category_name3", "category_name4")
REQUIRED = ("id", "title", "price_pc", "link", "image_link", "category_name1", "shipping")
KNOWN = frozenset(
    {
        "barcode",
        "manufacture_define_number",
        *REQUIRED,
        *CATEGORIES,
        "normal_price",
        "brand",
        "maker",
        "group_id",
        "gender",
        "age_group",
        "product_flag",
        "adult",
        "condition",
        "class",
        "update_time",
    }
)
"""The columns that are read; the others are left alone."""

WHOLE = TableColumns(known=KNOWN, required=REQUIRED, aliases={"lprice": "price_pc"}, quoted=False)
CHANGES = replace(WHOLE, may_be_empty=True)

_FILLED = ("id", "title", "price_pc", "link", "image_link")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", re.ASCII)
_NO_DIGIT = re.compile(r"\D")
_PLACE_BITS = 32
_PLACE_MASK = (1 << _PLACE_BITS) - 1
_NOT_FOR_SALE = {"렌탈": "rented out", "대여": "rented out", "도매": "sold wholesale only"}

TERMS = Terms(
    hours=72,
    reason="The feed is meant to be read every day; after three days without it, its prices can no longer be "
    "relied on.",
)


def read(file: Path, base: str = "", now: datetime | None = None) -> Iterator[FeedRow]:
    """The offers of a full feed; of a summary feed the offers and withdrawals, one for each id: the latest by
    ``update_time``, and of equal ones the last in the file. See :class:`mapsi.providers.provider.Read`."""
    if partial(file):
        yield from _read_changes(file, base, now or datetime.now(UTC))
        return
    with open_text(file) as text:
        yield from read_rows(read_table(text, WHOLE), base, now, _whole_offer)


def partial(file: Path) -> bool:
    """Whether a file is a summary feed: it has a ``class`` column, and its first row (if there is any) says something
    there. Shops that write all feeds with one template leave the column empty in the full one."""
    with open_text(file) as text:
        if "class" not in read_names(text, CHANGES):
            return False
        text.seek(0)
        return next((bool(row["class"].strip()) for _, row in _whole_rows(read_table(text, CHANGES))), True)


def to_offer(raw: Mapping[str, str], base: str, now: datetime) -> Offer:
    """One row as an offer; raises :class:`BadFieldError`."""
    row = filled({name: _unquoted(text) for name, text in raw.items()})
    require(row, _FILLED)
    get = row.get
    flag = get("product_flag", "").strip()
    if flag in _NOT_FOR_SALE:
        raise NotOfferedError(f"The product is {_NOT_FOR_SALE[flag]}, by its product_flag.")
    category = " > ".join(name for name in (get(field, "").strip() for field in CATEGORIES) if name)
    price, sale_price = _prices(row)
    return merchant_offer(
        {
            "id": row["id"],
            "title": row["title"],
            "link": row["link"],
            "image_link": row["image_link"],
            "price": price,
            "sale_price": sale_price,
            "availability": "preorder" if flag == "예약판매" else "",
            "condition": get("condition", ""),
            "adult": get("adult", ""),
            "brand": get("brand", "").strip() or get("maker", ""),
            "product_type": category,
            "item_group_id": get("group_id", ""),
            "gender": get("gender", "").strip() or audience_of_category(category) or "",
            "age_group": get("age_group", ""),
            "gtin": get("barcode", ""),
            "mpn": get("manufacture_define_number", ""),
        },
        base,
        now,
    )


def _whole_offer(row: Mapping[str, str], base: str, now: datetime) -> Offer:
    if row.get("class", "").strip().upper() == "D":
        raise BadFieldError("The row is marked as deleted (class D) in a feed that does not list changes.")
    return to_offer(row, base, now)


def _prices(row: Mapping[str, str]) -> tuple[str, str]:
    """Price and sale price: ``price_pc`` is what is paid, ``normal_price``, where it is higher, what is struck
    through."""
    paid, normal = row["price_pc"], row.get("normal_price", "")
    price, currency = read_price(paid, "price_pc")
    try:
        if normal and read_price(normal, "normal_price", currency)[0] > price:
            return normal, paid
    except BadFieldError as error:
        raise SparedFieldError(str(error), "normal_price") from None
    return paid, ""


def _unquoted(text: str) -> str:
    """Without the quotation marks that some shops' table writers put around a value, though the format knows none."""
    text = text.strip()
    inner = text[1:-1].replace('""', "")
    if len(text) > 1 and text[0] == text[-1] == '"' and '"' not in inner:
        return text[1:-1].replace('""', '"')
    return text


def _read_changes(file: Path, base: str, now: datetime) -> Iterator[FeedRow]:
    latest = _latest_places(file)
    with open_text(file) as text:
        for place, item in enumerate(read_table(text, CHANGES)):
            if isinstance(item, BrokenRow):
                yield item
                continue
            line, row = item
            if latest.get(_mark(row), place) & _PLACE_MASK == place:
                yield from _read_change(line, row, base, now)


def _latest_places(file: Path) -> dict[int, int]:
    """For each id (as a hash) which row, from 0, says the latest of it. A row without a time has that of the row
    before.

    Time and place are one number while they are compared: about 120 bytes per id, a third of what a pair would take.
    """
    latest: dict[int, int] = {}
    time = 0
    with open_text(file) as text:
        for place, item in enumerate(read_table(text, CHANGES)):
            if isinstance(item, BrokenRow) or not item[1]["id"].strip():
                continue
            written = item[1].get("update_time", "").strip()
            time = int(_NO_DIGIT.sub("", written)) if _TIME.fullmatch(written) else time
            mark = _mark(item[1])
            latest[mark] = max(latest.get(mark, 0), time << _PLACE_BITS | place)
    return latest


def _mark(row: Mapping[str, str]) -> int:
    return hash(tidy_id(_unquoted(row["id"])))


def _read_change(line: int, row: Mapping[str, str], base: str, now: datetime) -> Iterator[FeedRow]:
    """What a row changes. A row that asks not to be shown takes away what an earlier one brought."""
    try:
        match row["class"].strip().upper():
            case "I" | "U":
                offer, without = read_spared(to_offer, row, base, now)
                yield offer
                yield from (BrokenRow(line, reason, taken=True) for reason in without)
            case "D":
                require(filled({"id": _unquoted(row["id"])}), ("id",))
                yield Withdrawal(parse_id(_unquoted(row["id"])))
            case other:
                yield BrokenRow(line, f"The class {shown(other)} is neither I (new), U (changed) nor D (deleted).")
    except BadFieldError as error:
        yield BrokenRow(line, str(error))
        if isinstance(error, NotOfferedError):
            with contextlib.suppress(BadFieldError):
                yield Withdrawal(parse_id(_unquoted(row["id"])))


def _whole_rows(rows: Iterator[Row | BrokenRow]) -> Iterator[Row]:
    return (row for row in rows if not isinstance(row, BrokenRow))


PROVIDER = Provider(
    "naver-ep", "Naver Shopping EP 3.0: a tab-separated table, whole or as a summary of changes.", read, TERMS, partial
)

"""What a feed would change, found out by staging it and looking: nothing is written but temporary tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from mapsi.catalog.imports.run import Broken, Row, count_living, fill, reason_to_hold
from mapsi.catalog.imports.staging import CHANGED, GONE, NEW, Stage, create_stage, index_stage, staged
from mapsi.catalog.records import Preview, PriceChange, SourceRecord
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.money import from_minor
from mapsi.catalog.store.tables import OfferRow, Shop
from mapsi.progress import Advance
from mapsi.taxonomy import Taxonomy

EXAMPLES = 5


def preview_delivery(
    database: Database,
    source: SourceRecord,
    rows: Iterable[Row],
    taxonomy: Taxonomy,
    *,
    whole: bool,
    progress: Advance,
) -> Preview:
    """What taking over ``rows`` would change; changes nothing."""
    with database.session() as connection:
        create_stage(connection)
        with connection.begin():
            shop_id = connection.scalar(select(Shop.id).where(Shop.slug == source.shop))
        stage, broken = Stage(connection, shop_id, taxonomy, database.now()), Broken()
        fill(stage, rows, broken, progress)
        with connection.begin():
            index_stage(connection)
            return _look(connection, stage, broken, whole=whole, shrink=source.shrink)


def _look(connection: Connection, stage: Stage, broken: Broken, *, whole: bool, shrink: float) -> Preview:
    counts, living = stage.counts, count_living(connection, stage.shop_id)
    repriced = _was_living() & staged.c.repriced
    priced = int(connection.scalar(_staged_offers(func.count()).where(repriced)) or 0)
    return Preview(
        new=counts.new,
        repriced=priced,
        changed=counts.changed - priced,
        unchanged=counts.same + counts.spared,
        gone=living - counts.kept if whole else counts.withdrawn,
        broken=broken.told,
        broken_count=broken.count,
        new_examples=_titles(connection, select(staged.c.title).where(staged.c.kind == NEW)),
        price_examples=_prices(connection, repriced),
        changed_examples=_titles(connection, _staged_offers(staged.c.title).where(staged.c.kind == CHANGED, ~repriced)),
        gone_examples=_titles(connection, _gone(stage.shop_id, whole=whole)),
        held=reason_to_hold(living, counts.kept, shrink) if whole else "",
    )


def _was_living() -> ColumnElement[bool]:
    return (staged.c.kind == CHANGED) & OfferRow.gone_at.is_(None)


def _staged_offers(*columns: Any) -> Any:
    return select(*columns).select_from(staged).join(OfferRow, OfferRow.id == staged.c.offer_id)


def _titles(connection: Connection, query: Any) -> tuple[str, ...]:
    return tuple(connection.scalars(query.limit(EXAMPLES)))


def _prices(connection: Connection, repriced: ColumnElement[bool]) -> tuple[PriceChange, ...]:
    columns = (staged.c.title, OfferRow.lowest_price, OfferRow.currency, staged.c.lowest_price, staged.c.currency)
    rows = connection.execute(_staged_offers(*columns).where(repriced).limit(EXAMPLES)).all()
    return tuple(
        PriceChange(
            title=title,
            old=from_minor(old, old_currency),
            old_currency=old_currency,
            new=from_minor(new, new_currency),
            new_currency=new_currency,
        )
        for title, old, old_currency, new, new_currency in rows
    )


def _gone(shop_id: int | None, *, whole: bool) -> Any:
    if not whole:
        return _staged_offers(OfferRow.title).where(staged.c.kind == GONE)
    there = select(staged.c.offer_id).where(staged.c.kind != NEW)  # whose numbers are not yet those of offers
    living = (OfferRow.shop_id == shop_id, OfferRow.gone_at.is_(None))
    return select(OfferRow.title).where(*living, OfferRow.id.not_in(there)).order_by(OfferRow.id)

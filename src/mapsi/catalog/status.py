"""The catalogue at a glance, for its operator."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, case, func, select

from mapsi.catalog.generation import read_generation
from mapsi.catalog.records import CatalogStatus, ImportRecord, ShopStatus
from mapsi.catalog.tables import Import, Listing, OfferRow, Picture, ReadingRow, Shop


def read_status(connection: Connection) -> CatalogStatus:
    shops = _shops(connection)
    readings = select(ReadingRow.model, func.count()).group_by(ReadingRow.model).order_by(ReadingRow.model)
    return CatalogStatus(
        generation=read_generation(connection),
        living=sum(shop.living for shop in shops),
        shown=sum(shop.shown for shop in shops),
        gone=sum(shop.gone for shop in shops),
        pictures=int(connection.scalar(select(func.count()).select_from(Picture)) or 0),
        readings={row[0]: row[1] for row in connection.execute(readings)},
        shops=shops,
    )


def _shops(connection: Connection) -> tuple[ShopStatus, ...]:
    living = OfferRow.gone_at.is_(None)
    counts = (
        select(
            OfferRow.shop_id,
            func.sum(case((living, 1), else_=0)).label("living"),
            func.sum(case((living, 0), else_=1)).label("gone"),
            func.sum(case((living & OfferRow.picture.is_(None), 1), else_=0)).label("missing"),
            func.sum(case((living & OfferRow.picture_failure.is_not(None), 1), else_=0)).label("failed"),
        )
        .group_by(OfferRow.shop_id)
        .subquery()
    )
    counted = select(Listing.shop_id, func.count()).group_by(Listing.shop_id)
    shown = {row[0]: row[1] for row in connection.execute(counted)}
    query = select(Shop.slug, Shop.name, Shop.sample, counts).join(counts, counts.c.shop_id == Shop.id)
    imports = _last_imports(connection)
    return tuple(
        ShopStatus(
            slug=row.slug,
            name=row.name,
            sample=row.sample,
            living=int(row.living),
            shown=shown.get(row.shop_id, 0),
            gone=int(row.gone),
            pictures_missing=int(row.missing),
            pictures_failed=int(row.failed),
            last_import=imports.get(row.slug),
        )
        for row in connection.execute(query.order_by(Shop.slug))
    )


def _last_imports(connection: Connection) -> dict[str, ImportRecord]:
    last = select(func.max(Import.id)).group_by(Import.shop)
    return {row.shop: _record(row) for row in connection.execute(select(Import).where(Import.id.in_(last)))}


def _record(row: Any) -> ImportRecord:
    return ImportRecord(**row._asdict())

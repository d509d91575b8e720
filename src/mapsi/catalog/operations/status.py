"""The catalogue at a glance, for its operator."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, select

from mapsi.catalog.imports.run_log import last_runs
from mapsi.catalog.imports.sources import load_sources
from mapsi.catalog.records import CatalogStatus, RunRecord, ShopStatus
from mapsi.catalog.store.changes import read_generation
from mapsi.catalog.store.expiry import in_seconds
from mapsi.catalog.store.tables import Listing, OfferRow, PictureRow, ReadingRow, Shop


def read_status(connection: Connection) -> CatalogStatus:
    shops = _shops(connection)
    readings = select(ReadingRow.model, func.count()).group_by(ReadingRow.model).order_by(ReadingRow.model)
    return CatalogStatus(
        generation=read_generation(connection),
        living=sum(shop.living for shop in shops),
        shown=sum(shop.shown for shop in shops),
        gone=sum(shop.gone for shop in shops),
        pictures=int(connection.scalar(select(func.count()).select_from(PictureRow)) or 0),
        readings={row[0]: row[1] for row in connection.execute(readings)},
        shops=shops,
    )


def _shops(connection: Connection) -> tuple[ShopStatus, ...]:
    """The shops that have or had offers, and those that a source is there for."""
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
    columns = (Shop.id, Shop.slug, Shop.name, Shop.sample, Shop.last_expiry)
    query = select(*columns, counts).outerjoin(counts, counts.c.shop_id == Shop.id)
    runs, sources = last_runs(connection), {source.shop: source for source in load_sources(connection)}
    return tuple(
        ShopStatus(
            slug=row.slug,
            name=row.name,
            sample=row.sample,
            living=int(row.living or 0),
            shown=shown.get(row.id, 0),
            gone=int(row.gone or 0),
            pictures_missing=int(row.missing or 0),
            pictures_failed=int(row.failed or 0),
            expires=row.last_expiry,
            last_import=runs.get(row.slug),
            source=sources.get(row.slug),
        )
        for row in connection.execute(query.order_by(Shop.slug))
        if row.shop_id is not None or row.slug in sources
    )


def status_document(status: CatalogStatus, calls_left: Mapping[str, int | None]) -> dict[str, Any]:
    """The status as JSON for programs: a source an entry, and an entry for each shop that came by imports alone;
    ``calls_left`` by the source's name. Times are ISO 8601 with their zone, durations in seconds."""
    return {
        "offers": status.living,
        "sources": [_source_document(shop, calls_left) for shop in status.shops if shop.is_current],
        "shown": status.shown,
        "gone": status.gone,
        "pictures": status.pictures,
    }


def _source_document(shop: ShopStatus, calls_left: Mapping[str, int | None]) -> dict[str, Any]:
    source, run = shop.source, shop.last_import
    return {
        "name": shop.title,
        "format": source.format if source else run.format if run else "",
        "offers": shop.living,
        "last_run": None if run is None else _run_document(run),
        "shop": shop.slug,
        "shown": shop.shown,
        "gone": shop.gone,
        "expires": _time(shop.expires),
        "at": source.address if source else None,
        "every": in_seconds(source.every) if source else None,
        "time_to_live": in_seconds(source.time_to_live) if source else None,
        "calls_left": calls_left.get(source.name) if source else None,
    }


def _run_document(run: RunRecord) -> dict[str, Any]:
    return {
        "state": run.state,
        "started": _time(run.started),
        "finished": _time(run.finished),
        "new": run.new,
        "changed": run.changed,
        "gone": run.gone,
        "errors": run.broken,
        "unchanged": run.unchanged,
        "reason": run.reason,
        "first_errors": [{"line": row.line, "reason": row.reason} for row in run.faults],
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")

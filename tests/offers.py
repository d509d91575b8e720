"""Offers that tests import."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from mapsi.catalog import Catalog
from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.catalog.records import ImportReport
from mapsi.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()


def offer(id: str, title: str = "린넨 셔츠", price: int | str = 29000, **more: Any) -> Offer:
    """An offer with everything that must be there."""
    facts = {"link": f"https://shop.example.com/{id}", "image": f"https://img.example.com/{id}.jpg", "currency": "KRW"}
    return Offer(id=id, title=title, price=Decimal(price), **(facts | more))


def take_in(
    catalog: Catalog, *offers: Offer | BrokenRow, shop: str = "shop", now: datetime | None = None, **more: Any
) -> ImportReport:
    """Import a whole feed of these offers."""
    return take_in_all(catalog, offers, shop=shop, now=now, **more)


def take_in_all(
    catalog: Catalog,
    offers: Iterable[Offer | BrokenRow],
    *,
    shop: str = "shop",
    now: datetime | None = None,
    **more: Any,
) -> ImportReport:
    return catalog.import_offers(shop, offers, format="test", origin="a test", taxonomy=TAXONOMY, now=now, **more)

"""Offers that tests import, and products as they come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from typing import Any

from mapsi.catalog import Catalog
from mapsi.catalog.offer import BrokenRow, Delivery, Offer
from mapsi.catalog.product import Product
from mapsi.catalog.records import ImportReport
from mapsi.progress import Advance, no_advance
from mapsi.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()

NewCatalog = Callable[[str], AbstractContextManager[Catalog]]
"""What the fixture ``new_catalog`` gives."""


def offer(id: str, title: str = "린넨 셔츠", price: int | str = 29000, **more: Any) -> Offer:
    """An offer with everything that must be there."""
    facts = {"link": f"https://shop.example.com/{id}", "image": f"https://img.example.com/{id}.jpg", "currency": "KRW"}
    return Offer(id=id, title=title, price=Decimal(price), **(facts | more))


def product(**facts: Any) -> Product:
    """A product with everything that must be there."""
    least = {"id": 1, "name": "Shirt", "shop": "shop", "shop_name": "Shop", "link": "https://shop.example.com/1"}
    return Product(**({**least, "picture": "", "lowest_price": Decimal(1000), "currency": "KRW"} | facts))


def take_in(catalog: Catalog, *offers: Offer | BrokenRow, **more: Any) -> ImportReport:
    """Import a whole feed of these offers."""
    return take_in_all(catalog, offers, **more)


def take_in_all(
    catalog: Catalog,
    offers: Iterable[Offer | BrokenRow],
    *,
    whole: bool = True,
    progress: Advance = no_advance,
    now: datetime | None = None,
    **delivery: Any,
) -> ImportReport:
    """``delivery`` are fields of a :class:`Delivery`."""
    origin = {"shop": "shop", "format": "test", "origin": "a test", "now": now or catalog.now()}
    return catalog.imports.take(Delivery(**(origin | delivery)), offers, TAXONOMY, whole=whole, progress=progress)

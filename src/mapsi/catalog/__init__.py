"""Shops, offers, prices, pictures and people in a database, and the words that find offers. Owns SQLAlchemy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mapsi.catalog.catalog import Catalog, open_catalog

__all__ = ["Catalog", "open_catalog"]


def __getattr__(name: str) -> object:
    # Providers import ``mapsi.catalog.offer`` alone; SQLAlchemy (0.3 s) is loaded only where the catalogue is opened.
    if name in __all__:
        from mapsi.catalog import catalog

        return getattr(catalog, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

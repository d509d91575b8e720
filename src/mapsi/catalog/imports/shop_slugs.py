"""Names of shops and the slugs that they are known by."""

from __future__ import annotations

import re
import unicodedata

from sqlalchemy import Connection, select

from mapsi.catalog.store.tables import Shop
from mapsi.errors import UsageError


def shop_slug(name: str) -> str:
    """The slug of a shop's name: lower-case letters and digits of any script, joined by hyphens.

    Raises :class:`UsageError` where the name has none."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    slug = "-".join(re.findall(r"[^\W_]+", folded))[:100].rstrip("-")
    if not slug:
        raise UsageError(f"{name!r} is not a name for a shop.", "Give one with letters or digits.")
    return slug


def refuse_namesake(connection: Connection, slug: str, name: str, shown: str = "") -> None:
    """Raise :class:`UsageError` where another shop has the slug of ``name``: its offers would count as gone. A shop
    that is called as this one is to be ``shown`` is the same, of a source that was removed."""
    known = connection.scalar(select(Shop.name).where(Shop.slug == slug))
    if known not in (None, slug, name, shown):
        raise UsageError(
            f"The shop {name!r} would be kept as {slug!r}, which is the shop {known!r}.",
            f"Give {known!r} or {slug!r} if you mean that one, or a name that differs by a letter or digit.",
        )

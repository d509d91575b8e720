"""A product as it is shown: one offer standing for all variants of its group."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from mapsi.catalog.offer import Audience


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """``id`` is the catalogue's own. ``classes`` holds (axis, class slug) pairs, what the shop's words or the model
    say. ``picture`` is the digest of our copy of the picture, empty where there is none, ``picture_size`` its width and
    height in pixels; ``linked_picture`` the address of the shop's own where the terms allow no copy. ``shop_name`` is
    the seller's where a source lists many. ``lowest_price`` is in units of ``currency``, and so is ``regular_price``,
    what the shop asks without its sale, ``None`` where that is not known. ``similarity`` is the score, 0..1, of an
    answer to a photo, ``None`` where none was asked about. ``shops`` counts the shops that have it, of
    which this is one's offer."""

    id: int
    name: str
    shop: str
    shop_name: str
    link: str
    picture: str
    picture_size: tuple[int, int] = (0, 0)
    linked_picture: str = ""
    lowest_price: Decimal
    regular_price: Decimal | None = None
    currency: str
    brand: str = ""
    category: str = ""
    audience: Audience | None = None
    sample: bool = False
    classes: tuple[tuple[str, str], ...] = ()
    similarity: float | None = None
    shops: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductPage:
    """One page of an ordered list. ``number`` counts from 1, ``total`` counts all products that match, over all pages.
    ``instead`` are the words that were searched for where those that were typed find nothing, else empty. ``left_out``
    are words that no product has together with the others: the page shows the nearest. ``whole`` counts the products
    that have all words, which come first, where few do and the nearest follow; else ``None``."""

    products: tuple[Product, ...]
    total: int
    number: int
    size: int
    instead: str = ""
    left_out: str = ""
    whole: int | None = None

    @property
    def with_all_words(self) -> int:
        """How many products have all words that were asked for."""
        return self.total if self.whole is None else self.whole

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))


class Evidence(NamedTuple):
    """Why products are one: they share a checked GTIN, a maker's number with its brand before it, or have copies of the
    picture with this digest under one ``brand``."""

    kind: Literal["gtin", "mpn", "picture"]
    value: str
    brand: str = ""

    @property
    def told(self) -> str:
        """As a person reads it: ``GTIN 08801234567893``."""
        if self.kind == "picture":
            return f"copies of picture {self.value[:12]}, brand {self.brand}"
        return f"{self.kind.upper()} {self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedOffer:
    """One shop's part of a joined product: its cheapest offer as it is shown, and what it shares with the other
    parts."""

    product: Product
    shares: tuple[Evidence, ...]

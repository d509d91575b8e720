"""A product of the sample shop."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleProduct:
    """One colour of one line. Prices are in won; ``style`` is empty for a garment that has none of the listed
    styles."""

    id: str
    title: str
    description: str
    price: Decimal
    sale_price: Decimal | None
    product_type: str
    color: str
    gender: str
    group: str
    style: str
    garment: str

    @property
    def image(self) -> str:
        """The picture's path beside the feed."""
        return f"pictures/{self.id}.webp"

    @property
    def link(self) -> str:
        """An address that is plainly no shop (RFC 2606)."""
        return f"https://example.com/mapsi-sample/{self.id}"

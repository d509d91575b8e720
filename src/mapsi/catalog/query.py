"""What is asked of the catalogue: words, filters, order and page, as one value from the address to the answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from mapsi.catalog.filters import Filters, Sort
from mapsi.errors import UsageError

LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Page ``page`` (from 1) of ``size`` (1..1000) products that have ``words``, all products where there are none, and
    pass ``filters``, in the order ``sort``. Where ``exact``, the words are taken as they stand: not mended, nothing
    left out. Raises :class:`UsageError` for a page that makes no sense."""

    words: str = ""
    filters: Filters = field(default_factory=Filters)
    sort: Sort = "likeness"
    page: int = 1
    size: int = 24
    exact: bool = False

    def __post_init__(self) -> None:
        if self.page < 1 or not 1 <= self.size <= LARGEST_PAGE:
            raise UsageError(f"Pages count from 1 and hold 1 to {LARGEST_PAGE} products.", "Mend page or size.")

    @property
    def offset(self) -> int:
        """How many products come before the page."""
        return (self.page - 1) * self.size

    @property
    def is_everything(self) -> bool:
        """Whether nothing narrows it: what most visitors see first."""
        return not self.words and not self.filters.narrows


EVERYTHING = Query()
"""All products, the newest first."""

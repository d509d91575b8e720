"""What is asked of the catalogue: words, filters, order and page, as one value from the address to the answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from mapsi.catalog.filters import Filters, Sort
from mapsi.catalog.product import ProductPage
from mapsi.errors import UsageError
from mapsi.settings import PAGE_SIZE

LAST_PAGE = 100_000
LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Page ``page`` (1..100,000) of ``size`` (1..1000) products that have ``words``, all products for ``None``, and
    pass ``filters``, in the order ``sort``. Where ``exact``, the words are taken as they stand: not mended, nothing
    left out. Beside a photo, ``words`` say what is to be another than on it, and ``less`` numbers products that were
    pushed aside. Raises :class:`UsageError` for a page
    that makes no sense."""

    words: str | None = None
    filters: Filters = field(default_factory=Filters)
    sort: Sort = "likeness"
    page: int = 1
    size: int = PAGE_SIZE
    exact: bool = False
    less: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.page <= LAST_PAGE:
            raise UsageError(f"There is no page {self.page}.", f"Pages count from 1 to {LAST_PAGE}.")
        if not 1 <= self.size <= LARGEST_PAGE:
            raise UsageError(f"A page cannot show {self.size} products.", f"Ask for 1 to {LARGEST_PAGE}.")

    @property
    def offset(self) -> int:
        """How many products come before the page."""
        return (self.page - 1) * self.size

    @property
    def nothing(self) -> ProductPage:
        """The page asked for where there is nothing to find."""
        return ProductPage(products=(), total=0, number=self.page, size=self.size)

    @property
    def is_everything(self) -> bool:
        """Whether nothing narrows it: what most visitors see first."""
        return self.words is None and not self.filters.narrows


ALL_PRODUCTS = Query()
"""All products, the newest first."""

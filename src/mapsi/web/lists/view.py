"""A list as the templates show it: its cards, what narrows it down, and the links between its pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flask import url_for

from mapsi.catalog.filters import Filters, Sort
from mapsi.catalog.product import ProductPage
from mapsi.catalog.query import Query
from mapsi.taxonomy import Taxonomy
from mapsi.taxonomy.categories import KIND_AXIS
from mapsi.taxonomy.names import axis_name, class_name, color_names
from mapsi.web.lists.cards import Card, PictureView
from mapsi.web.lists.choices import Choice, grouped, price_range, with_chosen
from mapsi.web.request.languages import is_amount, spoken
from mapsi.web.request.languages import translate as _
from mapsi.web.request.messages import Explanation
from mapsi.web.request.parameters import MOST_ASIDE, MOST_PAGES, PRICES, Arguments, write_query

if TYPE_CHECKING:
    from mapsi.catalog.records import Facets

MOST_SHOPS = 20
ALIKE = ("photos.photo", "pages.similar")
"""The pages whose lists are of what is alike."""


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter in force, and the address without it. ``aside`` is the picture of a product that was pushed aside."""

    name: str
    url: str
    aside: PictureView | None = None


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What the address of a list asks for: a page, from the page ``first`` above it on (0 for none), and what is wrong
    with fields that people fill in by hand, by the field's name."""

    query: Query
    first: int = 0
    faults: Mapping[str, Explanation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a list with the links around it. ``endpoint`` and ``values`` say which page shows it, ``facets`` what
    this very list can be narrowed down to. ``kept`` are further parameters of the address, ``typed`` what is in fields
    with a fault, by name, ``aside`` the products pushed aside."""

    asked: ListRequest
    page: ProductPage
    cards: list[Card]
    facets: Facets
    shop_names: Mapping[str, str]
    taxonomy: Taxonomy
    language: str
    endpoint: str
    values: Mapping[str, Any]
    kept: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    aside: Sequence[Card] = ()

    @property
    def query(self) -> Query:
        """The page asked for."""
        return self.asked.query

    @property
    def faults(self) -> Mapping[str, Explanation]:
        """What is wrong with fields that people fill in by hand."""
        return self.asked.faults

    @property
    def words(self) -> str:
        """The words that were searched for, empty for none."""
        return "" if self.refines else self.query.words or ""

    @property
    def beside(self) -> str:
        """The words said beside the photo, or beside the product that others are to be like."""
        return self.query.words or "" if self.refines else ""

    def url(self, **changes: Any) -> str:
        """This list with other filters (``None`` for nothing that narrows it), order or page; except for another page,
        from the first on."""
        if changes.get("filters", self) is None:
            changes = {"less": (), **({"words": None} if self.refines else {}), **changes, "filters": Filters()}
        first = changes.pop("first", 0)
        query = replace(self.query, **{"page": 1, **changes})
        parameters: dict[str, Any] = {**self.kept, **self._written(query, first).to_dict(flat=False)}
        return url_for(self.endpoint, **self.values, **parameters)

    def _written(self, query: Query, first: int = 0) -> Arguments:
        return write_query(query, first, "words" if self.refines else "q")

    def carried(self, *left_out: str) -> list[tuple[str, str]]:
        """What a form on this page takes along in hidden fields: the list's address except for its place in it and the
        parameters that the form has fields for."""
        pairs = [*self.kept.items(), *self._written(replace(self.query, page=1)).items(multi=True)]
        return [(name, value) for name, value in pairs if name not in left_out]

    @property
    def narrowed(self) -> bool:
        """Whether filters, words beside the photo or products pushed aside leave less than there is."""
        return self.query.filters.narrows or bool(self.beside or self.query.less)

    @property
    def refines(self) -> bool:
        """Whether it is a list of what is alike, from which products can be pushed aside."""
        return self.endpoint in ALIKE

    @property
    def nothing_alike(self) -> str:
        """What is shown instead of an empty list of what is alike."""
        if self.beside:
            return _("We found nothing for “%(words)s”.", words=self.beside)
        return _("No product passes these filters.") if self.narrowed else _("We have nothing like this.")

    def less_url(self, card: Card) -> str:
        """This list with a product pushed aside; where no more fit, the first of them comes back."""
        return self.url(less=(*self.query.less, card.id)[-MOST_ASIDE:])

    @property
    def action(self) -> str:
        """Where the filter form goes."""
        return url_for(self.endpoint, **self.values)

    @property
    def sorts(self) -> list[tuple[Sort, str]]:
        """The orders there are, with their names."""
        first = _("Most similar") if self.refines else _("Best match") if self.words else _("Newest")
        return [("likeness", first), ("price-up", _("Low price")), ("price-down", _("High price"))]

    @property
    def more_url(self) -> str:
        """This list with its next page below, or that page alone where enough are already shown; empty at its end."""
        here, first = self.page.number, self.asked.first or self.page.number
        if here >= self.page.pages:
            return ""
        return self.url(page=here + 1, first=first if here + 1 - first < MOST_PAGES else 0)

    @property
    def earlier_url(self) -> str:
        """The page above the first one that is shown; empty at the start of the list."""
        first = self.asked.first or self.page.number
        return self.url(page=first - 1) if first > 1 else ""

    @property
    def reached(self) -> int:
        """The number of products down to the last one that is shown, counted from the start of the list."""
        return min(self.page.number * self.page.size, self.page.total)

    @property
    def chips(self) -> list[Chip]:
        """What narrows the list, each with the way back."""
        filters = [Chip(name, self.url(filters=without)) for name, without in self._restrictions()]
        words = [Chip(f"“{self.beside}”", self.url(words=None))] if self.beside else []
        aside = [
            Chip(card.title.text, self.url(less=tuple(one for one in self.query.less if one != card.id)), card.picture)
            for card in self.aside
        ]
        return [*words, *filters, *aside]

    def _restrictions(self) -> list[tuple[str, Filters]]:
        filters = self.query.filters
        found: list[tuple[str, Filters]] = []
        if filters.min_price is not None or filters.max_price is not None:
            found.append((self._price_range(), replace(filters, min_price=None, max_price=None)))
        for axis, slugs in filters.classes.items():
            for slug in slugs:
                rest = {**filters.classes, axis: tuple(one for one in slugs if one != slug)}
                classes = {name: kept for name, kept in rest.items() if kept}
                name = class_name(self.taxonomy, axis, slug).in_language(self.language)
                found.append((name, replace(filters, classes=classes)))
        for shop in filters.shops:
            kept_shops = tuple(one for one in filters.shops if one != shop)
            found.append((self.shop_names.get(shop, shop), replace(filters, shops=kept_shops)))
        for color in filters.colors:
            kept_colors = tuple(one for one in filters.colors if one != color)
            found.append((self._color_name(color), replace(filters, colors=kept_colors)))
        for audience in filters.audiences:
            kept_audiences = tuple(one for one in filters.audiences if one != audience)
            found.append((audience_name(audience), replace(filters, audiences=kept_audiences)))
        return found

    def _price_range(self) -> str:
        filters = self.query.filters
        return price_range(filters.min_price, filters.max_price, self.currency, self.language)

    @property
    def currency(self) -> str:
        """The one currency of the products shown, empty where they or, as far as their prices tell, others of the list
        have another one: of 49.99 and 60,000 not both are won."""
        found = {product.currency for product in self.page.products}
        if len(found) != 1:
            return ""
        one = found.pop()
        bounds = (self.facets.price_min, self.facets.price_max, *(prices.high for prices in self.facets.prices))
        return one if all(bound is None or is_amount(bound, one) for bound in bounds) else ""

    @property
    def has_several_currencies(self) -> bool:
        """Whether prices are compared as mere numbers, in which no range means anything."""
        return bool(self.page.products) and not self.currency

    def _color_name(self, slug: str) -> str:
        return color_names()[slug].in_language(self.language)

    @property
    def price_fault(self) -> Explanation | None:
        """What is wrong with the prices as typed."""
        return next((self.faults[name] for name in PRICES if name in self.faults), None)

    @property
    def low(self) -> str:
        """The lowest price asked for, as it was typed into its field."""
        return self.typed.get("min_price") or grouped(self.query.filters.min_price)

    @property
    def high(self) -> str:
        """The highest price asked for, as it was typed into its field."""
        return self.typed.get("max_price") or grouped(self.query.filters.max_price)

    @property
    def price_choices(self) -> list[Choice]:
        """Ranges of prices to tap; the one in force leads back."""
        filters = self.query.filters
        choices = []
        if self.has_several_currencies:
            return []
        for prices in self.facets.prices:
            chosen = (filters.min_price, filters.max_price) == (prices.low, prices.high)
            low, high = (None, None) if chosen else (prices.low, prices.high)
            url = self.url(filters=replace(filters, min_price=low, max_price=high))
            name = price_range(prices.low, prices.high, self.currency, self.language)
            choices.append(Choice(url, name, chosen, self.count(prices.count)))
        return choices

    def count(self, number: int) -> str:
        """A number of products as it is shown beside a choice."""
        more = "+" if self.facets.most is not None and number >= self.facets.most else ""
        return f"{number:,}{more}"

    @property
    def low_hint(self) -> str:
        """The lowest price there is."""
        return _("Lowest") if self.has_several_currencies else grouped(self.facets.price_min)

    @property
    def high_hint(self) -> str:
        """The highest price there is."""
        return _("Highest") if self.has_several_currencies else grouped(self.facets.price_max)

    @property
    def class_choices(self) -> list[tuple[str, str, list[Choice]]]:
        """Axis by axis its slug and name, and the classes that products of this list have."""
        found = []
        for axis in self.taxonomy.listed:
            chosen = self.query.filters.classes.get(axis, ())
            counts = with_chosen(self.facets.classes.get(axis, ()), chosen)
            named = [(slug, class_name(self.taxonomy, axis, slug).in_language(self.language), n) for slug, n in counts]
            if named:
                title = axis_name(self.taxonomy, axis).in_language(self.language)
                found.append((axis, title, self._choices(named, chosen)))
        return found

    @property
    def looks(self) -> list[tuple[str, str]]:
        """Classes to look around by, kinds of garment first and no name twice: names, and addresses."""
        kinds_first = sorted(self.class_choices, key=lambda found: found[0] != KIND_AXIS)
        named: dict[str, str] = {}
        for axis, _title, classes in kinds_first:
            for choice in classes:
                asked: dict[str, Any] = {"class": f"{axis}:{choice.value}"}
                named.setdefault(choice.name, url_for("pages.words", **asked))
        return [*named.items()]

    @property
    def audience_choices(self) -> list[Choice]:
        """For whom products of this list are."""
        chosen = self.query.filters.audiences
        counts = with_chosen(self.facets.audiences, chosen)
        return self._choices(((slug, audience_name(slug), number) for slug, number in counts), chosen)

    @property
    def color_choices(self) -> list[Choice]:
        """The colours that products of this list have."""
        chosen = self.query.filters.colors
        counts = with_chosen(self.facets.colors, chosen)
        return self._choices(((slug, self._color_name(slug), number) for slug, number in counts), chosen)

    @property
    def shop_choices(self) -> list[Choice]:
        """The shops that have most of this list."""
        chosen = self.query.filters.shops
        counts = with_chosen(((shop.slug, shop.count) for shop in self.facets.shops[:MOST_SHOPS]), chosen)
        named = ((slug, self.shop_names.get(slug, slug), number) for slug, number in counts)
        return self._choices(named, chosen)

    def _choices(self, named: Iterable[tuple[str, str, int]], chosen: Collection[str]) -> list[Choice]:
        return [Choice(slug, name, slug in chosen, self.count(number)) for slug, name, number in named]


def audience_name(audience: str) -> str:
    """An audience in the person's language."""
    return spoken(_AUDIENCES, audience)


_AUDIENCES = {
    "women": lambda: _("Women"),
    "men": lambda: _("Men"),
    "unisex": lambda: _("Unisex"),
    "kids": lambda: _("Kids"),
}

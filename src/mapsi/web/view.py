"""What the templates show, worked out beforehand: cards, axes, filters and the links between pages of a list."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import url_for

from mapsi.catalog.filters import Filters, Sort
from mapsi.catalog.product import Product, ProductPage
from mapsi.documents import is_web_address, product_keyword
from mapsi.infer.reading import AxisReading, Reading
from mapsi.pictures.store import smaller_sides
from mapsi.taxonomy import Taxonomy
from mapsi.taxonomy.names import axis_name, class_name, color_names
from mapsi.web.choices import Choice, grouped, price_range, with_chosen
from mapsi.web.languages import format_price
from mapsi.web.languages import translate as _
from mapsi.web.messages import Explanation
from mapsi.web.parameters import PRICES, ListQuery, write_query
from mapsi.web.security import let_in_shop_pictures

if TYPE_CHECKING:
    from mapsi.catalog.records import Facets

NEXT_GUESSES = 2
MOST_SHOPS = 20


@dataclass(frozen=True, slots=True)
class GuessView:
    """A class by name, with its confidence in whole percent."""

    name: str
    percent: int


@dataclass(frozen=True, slots=True)
class AxisView:
    """The answer on one axis: the first guess in words and percent, and the next two."""

    slug: str
    name: str
    known: bool
    best: GuessView
    words: str
    others: tuple[GuessView, ...]


@dataclass(frozen=True, slots=True)
class PictureView:
    """Where a product's picture is. ``srcset`` names our copies with their widths, so that a phone takes a small one; it
    is empty, and ``outside`` true, for a picture that lies at its shop."""

    src: str
    srcset: str = ""
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A product as a link. ``outside`` is false for samples, which have a page here; ``link`` may be empty.
    ``likeness`` is the similarity to the photo in whole percent, ``None`` where there is none to speak of."""

    id: int
    name: str
    keyword: str
    price: str
    shop: str
    link: str
    outside: bool
    picture: PictureView | None
    likeness: int | None
    sample: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter in force, and the address without it."""

    name: str
    url: str


def view_axes(reading: Reading, taxonomy: Taxonomy, language: str) -> list[AxisView]:
    """The axes of a reading, those that the model is sure of first."""
    views = [_view_axis(answer, taxonomy, language) for answer in reading.axes.values()]
    return sorted(views, key=lambda view: not view.known)


def _view_axis(answer: AxisReading, taxonomy: Taxonomy, language: str) -> AxisView:
    guesses = [
        GuessView(class_name(taxonomy, answer.axis, guess.slug).in_language(language), round(guess.confidence * 100))
        for guess in answer.top[: 1 + NEXT_GUESSES]
    ]
    return AxisView(
        slug=answer.axis,
        name=axis_name(taxonomy, answer.axis).in_language(language),
        known=answer.known,
        best=guesses[0],
        words=describe_confidence(answer.best.confidence, known=answer.known),
        others=tuple(guesses[1:]),
    )


def describe_confidence(confidence: float, *, known: bool) -> str:
    """A calibrated probability, 0..1, as a shopper would say it."""
    if not known:
        return _("Just a guess")
    if confidence >= 0.85:
        return _("Almost certain")
    if confidence >= 0.6:
        return _("Fairly sure")
    return _("Probably")


def view_card(product: Product, taxonomy: Taxonomy, language: str) -> Card:
    """A product as the pages show it."""
    outside = not product.sample
    shop_page = product.link if is_web_address(product.link) else ""
    return Card(
        id=product.id,
        name=product.name,
        keyword=product_keyword(product, taxonomy, language),
        price=format_price(product.lowest_price, product.currency, language),
        shop=product.shop_name,
        link=shop_page if outside else url_for("pages.sample", product_id=product.id),
        outside=outside,
        picture=view_picture(product),
        likeness=round(product.similarity * 100) if product.similarity and product.similarity > 0 else None,
        sample=product.sample,
    )


def view_picture(product: Product) -> PictureView | None:
    """The picture of a product, ``None`` where there is none to show. A linked one is shown over https only, which
    this page's security policy then lets in."""
    if not product.picture:
        if not product.linked_picture.startswith("https://"):
            return None
        let_in_shop_pictures()
        return PictureView(product.linked_picture, outside=True)
    address, (width, height) = partial(url_for, "pages.picture"), product.picture_size
    shares = [(side, side / max(width, height)) for side in smaller_sides(width, height)]
    widths = [(address(digest=f"{product.picture}-{side}"), round(width * share)) for side, share in shares]
    full = address(digest=product.picture)
    return PictureView(full, ", ".join(f"{url} {wide}w" for url, wide in [*widths, (full, width)]) if widths else "")


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list with the links around it. ``endpoint`` and ``values`` say which page shows it, ``facets`` what this
    very list can be narrowed down to. ``faults`` say what is wrong with fields that hold what was ``typed``, by name."""

    query: ListQuery
    words: str
    page: ProductPage
    cards: list[Card]
    facets: Facets
    shop_names: Mapping[str, str]
    taxonomy: Taxonomy
    language: str
    endpoint: str
    values: Mapping[str, Any]
    faults: Mapping[str, Explanation] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)

    def url(self, **changes: Any) -> str:
        """This list with other filters (``None`` for none), order or page; but for another page, from the first on."""
        if changes.get("filters", self) is None:
            changes["filters"] = Filters()
        query = replace(self.query, **{"page": 1, **changes})
        parameters: dict[str, Any] = write_query(query, self.words).to_dict(flat=False)
        return url_for(self.endpoint, **self.values, **parameters)

    @property
    def action(self) -> str:
        """Where the filter form goes."""
        return url_for(self.endpoint, **self.values)

    @property
    def sorts(self) -> list[tuple[Sort, str]]:
        """The orders there are, with their names."""
        first = _("Most alike") if self.endpoint == "pages.photo" else _("Best match") if self.words else _("Newest")
        return [("likeness", first), ("price-up", _("Low price")), ("price-down", _("High price"))]

    @property
    def numbers(self) -> list[int | None]:
        """Page numbers to offer: both ends and the ones around this page, ``None`` where some are left out."""
        last, here = self.page.pages, self.page.number
        shown = sorted({1, last, *(n for n in range(here - 1, here + 2) if 1 <= n <= last)})
        numbers: list[int | None] = []
        for number in shown:
            if numbers and number - (numbers[-1] or 0) > 1:
                numbers.append(None)
            numbers.append(number)
        return numbers

    @property
    def chips(self) -> list[Chip]:
        """The filters in force, each with the way back."""
        return [Chip(name, self.url(filters=without)) for name, without in self._restrictions()]

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
        return price_range(self.query.filters.min_price, self.query.filters.max_price)

    def _color_name(self, slug: str) -> str:
        return color_names()[slug].in_language(self.language)

    @property
    def price_fault(self) -> Explanation | None:
        """What is wrong with the prices as typed."""
        return next((self.faults[name] for name in PRICES if name in self.faults), None)

    @property
    def low(self) -> str:
        """The lowest price asked for, as it stands in its field."""
        return self.typed.get("min_price") or grouped(self.query.filters.min_price)

    @property
    def high(self) -> str:
        """The highest price asked for, as it stands in its field."""
        return self.typed.get("max_price") or grouped(self.query.filters.max_price)

    @property
    def price_choices(self) -> list[Choice]:
        """Ranges of prices to tap; the one in force leads back."""
        filters = self.query.filters
        choices = []
        for prices in self.facets.prices:
            chosen = (filters.min_price, filters.max_price) == (prices.low, prices.high)
            low, high = (None, None) if chosen else (prices.low, prices.high)
            url = self.url(filters=replace(filters, min_price=low, max_price=high))
            choices.append(Choice(url, price_range(prices.low, prices.high), chosen, self.count(prices.count)))
        return choices

    def count(self, number: int) -> str:
        """A number of products as it is shown beside a choice."""
        more = "+" if self.facets.most is not None and number >= self.facets.most else ""
        return f"{number:,}{more}"

    @property
    def low_hint(self) -> str:
        """The lowest price there is."""
        return grouped(self.facets.price_min)

    @property
    def high_hint(self) -> str:
        """The highest price there is."""
        return grouped(self.facets.price_max)

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
    names: dict[str, Callable[[], str]] = {
        "women": lambda: _("Women"),
        "men": lambda: _("Men"),
        "unisex": lambda: _("Unisex"),
        "kids": lambda: _("Kids"),
    }
    return names[audience]() if audience in names else audience

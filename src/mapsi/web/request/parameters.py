"""What the address asks for: filters, order and page, read with checks and written back for links.

The names are the same on the pages and in the API: ``page``, ``size`` (API only), ``sort``, ``min_price``,
``max_price``, ``from`` (pages only: show all from that page on), ``exact=1`` (words as they stand), and, each as often
as wanted, ``shop``, ``class=AXIS:SLUG``, ``color`` and ``audience``. A name that nothing here has (an unknown shop,
class or order) is an error, never a quietly empty page. Lists of what is alike also take ``words``, said beside the
photo, and, as often as wanted, ``less=ID``, a product that was pushed aside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import cast, get_args

from werkzeug.datastructures import MultiDict

from mapsi.catalog.filters import SORTS, Filters, Sort
from mapsi.catalog.offer import Audience
from mapsi.catalog.product import ProductPage
from mapsi.catalog.query import LAST_PAGE, Query
from mapsi.errors import NotFoundError, UsageError
from mapsi.imaging import Box
from mapsi.settings import LARGEST_ANSWER
from mapsi.taxonomy import Taxonomy
from mapsi.taxonomy.names import color_names
from mapsi.web.request.languages import LANGUAGES

Arguments = MultiDict[str, str]

AUDIENCES: tuple[Audience, ...] = get_args(Audience)
PRICES = ("min_price", "max_price")
MOST_PAGES = 5
"""Pages of a list that are shown under one another; then the list continues by itself."""
LONGEST_QUERY = 200
MOST_ASIDE = 24
"""Products that one list can push aside: an address stays short."""
_PRICE = re.compile(r"\d{1,12}(\.\d{1,4})?", re.ASCII)
_BOX = re.compile(r"(?:[01](?:\.\d{1,6})?,){3}[01](?:\.\d{1,6})?", re.ASCII)
_SLACK = 0.002
"""What a box may reach out of its photo: its four numbers are rounded each by itself."""
_NUMBER = re.compile(r"\d{1,6}", re.ASCII)
_PRODUCT = re.compile(r"\d{1,18}", re.ASCII)


class ParameterError(UsageError):
    """A parameter in the address has a value that cannot be used; ``parameter`` names it."""

    code = "bad_parameter"

    def __init__(self, parameter: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.parameter = parameter


def read_query(
    arguments: Arguments,
    *,
    taxonomy: Taxonomy,
    shops: Callable[[], Collection[str]],
    size: int,
    size_is_free: bool = False,
) -> Query:
    """Read filters, order and page, but no words (:func:`read_words`); ``size`` is used where none is asked for or
    where ``size_is_free`` is false. ``shops`` gives the slugs there are, and is called where one is asked for.

    Raises :class:`ParameterError`, naming the parameter.
    """
    return Query(
        filters=_read_filters(arguments, taxonomy, shops),
        sort=_read_sort(arguments),
        page=_read_number(arguments, "page", 1, LAST_PAGE),
        size=_read_number(arguments, "size", size, LARGEST_ANSWER) if size_is_free else size,
        exact=read_flag(arguments, "exact"),
    )


def read_page_leniently(arguments: Arguments) -> int:
    """Which page of an operator's list is asked for: the first for anything that is not a number, the last possible one
    for anything beyond."""
    text = arguments.get("page", "1")
    return min(LAST_PAGE, max(1, int(text))) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def read_aside(arguments: Arguments) -> tuple[int, ...]:
    """The numbers of the products that were pushed aside (``less``); raises :class:`ParameterError`."""
    asked = tuple(dict.fromkeys(text for text in arguments.getlist("less") if text))
    if len(asked) > MOST_ASIDE or not all(map(_PRODUCT.fullmatch, asked)):
        hint = f"Give numbers of products, at most {MOST_ASIDE}."
        raise ParameterError("less", "less does not name products.", hint)
    return tuple(map(int, asked))


def read_first(arguments: Arguments, page: int) -> int:
    """The page above ``page`` from which on all are shown, 0 for none above; raises :class:`ParameterError`."""
    first = _read_number(arguments, "from", 0, LAST_PAGE)
    if first and not page - MOST_PAGES < first < page:
        raise ParameterError("from", f"from is not one of the {MOST_PAGES - 1} pages above page {page}.")
    return first


def read_flag(arguments: Arguments, name: str) -> bool:
    """Whether ``name`` is asked for with ``1``; raises :class:`ParameterError` for anything but 0 and 1."""
    text = arguments.get(name, "") or "0"
    if text not in ("0", "1"):
        raise ParameterError(name, f"{name} is neither 0 nor 1.", f"Write {name}=1, or leave it out.")
    return text == "1"


def read_box(arguments: Arguments) -> Box | None:
    """The part of the photo that ``box=x,y,width,height`` names, in shares of the photo; raises
    :class:`ParameterError`."""
    text = arguments.get("box", "").strip()
    if not text:
        return None
    box = _to_box(text)
    if box is None:
        hint = "Write it as x,y,width,height in fractions of the photo's sides, such as 0.1,0.2,0.5,0.5."
        raise ParameterError("box", "box is not a part of the photo.", hint)
    return box


def _to_box(text: str) -> Box | None:
    if not _BOX.fullmatch(text):
        return None
    x, y, width, height = (float(part) for part in text.split(","))
    inside = 0 < width <= 1 - x + _SLACK and 0 < height <= 1 - y + _SLACK
    return (x, y, min(width, 1 - x), min(height, 1 - y)) if inside and x < 1 and y < 1 else None


def write_box(box: Box) -> str:
    """``box`` as :func:`read_box` reads it, to a thousandth of the photo."""
    return ",".join(f"{share:.3f}".rstrip("0").rstrip(".") for share in box)


def read_words(arguments: Arguments, name: str = "q") -> str:
    """The words in the parameter ``name`` on one line, without what cannot be printed; raises :class:`ParameterError`
    if too long, spaces and what cannot be printed counted too."""
    text = arguments.get(name, "")
    if len(text) > LONGEST_QUERY:
        raise ParameterError(name, f"The words are longer than {LONGEST_QUERY} characters.", "Search with fewer words.")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def check_language(arguments: Arguments) -> None:
    """Raise :class:`ParameterError` where ``lang`` asks for a language that is not here."""
    if (arguments.get("lang") or LANGUAGES[0]) not in LANGUAGES:
        raise ParameterError("lang", "There is no such language here.", f"There are: {', '.join(LANGUAGES)}.")


def check_page(page: ProductPage) -> ProductPage:
    """``page``, if the list reaches that far; raises :class:`ParameterError`."""
    if page.number > page.pages:
        raise ParameterError("page", f"The list has {page.pages} pages, so there is no page {page.number}.")
    return page


def _read_filters(arguments: Arguments, taxonomy: Taxonomy, shops: Callable[[], Collection[str]]) -> Filters:
    low, high = _read_price(arguments, "min_price"), _read_price(arguments, "max_price")
    if low is not None and high is not None and low > high:
        raise ParameterError("min_price", "The lowest price asked for is above the highest.", "Swap the two.")
    return Filters(
        min_price=low,
        max_price=high,
        shops=_read_choices(arguments, "shop", shops() if any(arguments.getlist("shop")) else ()),
        classes=_read_classes(arguments, taxonomy),
        audiences=cast(tuple[Audience, ...], _read_choices(arguments, "audience", AUDIENCES)),
        colors=_read_choices(arguments, "color", color_names()),
    )


def _read_price(arguments: Arguments, name: str) -> Decimal | None:
    text = arguments.get(name, "").replace(",", "").strip()
    if not text:
        return None
    if not _PRICE.fullmatch(text):
        raise ParameterError(name, f"{name} is not a price.", "Write digits only, such as 29000.")
    return Decimal(text)


def _read_number(arguments: Arguments, name: str, default: int, highest: int) -> int:
    text = arguments.get(name, "").strip()
    if not text:
        return default
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= highest:
        raise ParameterError(name, f"{name} is not a whole number from 1 to {highest}.")
    return int(text)


def _read_sort(arguments: Arguments) -> Sort:
    text = arguments.get("sort", "") or "likeness"
    if text not in SORTS:
        raise ParameterError("sort", "There is no such order.", f"There are: {', '.join(SORTS)}.")
    return text


def _read_choices(arguments: Arguments, name: str, known: Collection[str]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(value for value in arguments.getlist(name) if value))
    if any(value not in known for value in chosen):
        raise ParameterError(name, f"There is no such {name} here.", f"There are: {', '.join(sorted(known))}.")
    return chosen


def _read_classes(arguments: Arguments, taxonomy: Taxonomy) -> dict[str, tuple[str, ...]]:
    classes: dict[str, tuple[str, ...]] = {}
    for value in dict.fromkeys(value for value in arguments.getlist("class") if value):
        axis, colon, slug = value.partition(":")
        try:
            if not colon or slug not in taxonomy.find(axis).by_slug or axis not in taxonomy.listed:
                raise ParameterError("class", "There is no such class.", "Write it as axis:slug, such as style:knit.")
        except NotFoundError as error:
            raise ParameterError("class", "There is no such class.", error.hint) from error
        classes[axis] = (*classes.get(axis, ()), slug)
    return classes


def write_query(query: Query, first: int = 0, words: str = "q") -> Arguments:
    """The parameters that :func:`read_query`, :func:`read_words` (by the name ``words``) and :func:`read_aside` read as
    ``query``, and :func:`read_first` as ``first``; defaults are left out, and so is the size, which the pages do not
    take from the address."""
    filters, pairs = query.filters, Arguments()
    singles = {
        words: query.words or "",
        "sort": "" if query.sort == "likeness" else query.sort,
        "min_price": _plain(filters.min_price),
        "max_price": _plain(filters.max_price),
        "page": "" if query.page == 1 else str(query.page),
        "from": str(first) if first else "",
        "exact": "1" if query.exact else "",
    }
    for name, value in singles.items():
        if value:
            pairs.add(name, value)
    for name, values in (("shop", filters.shops), ("audience", filters.audiences), ("color", filters.colors)):
        for value in values:
            pairs.add(name, value)
    for axis, slugs in filters.classes.items():
        for slug in slugs:
            pairs.add("class", f"{axis}:{slug}")
    for number in query.less:
        pairs.add("less", str(number))
    return pairs


def _plain(price: Decimal | None) -> str:
    return "" if price is None else f"{price:f}"

"""The tags and texts of a feed in XML, in their order -> the fields of its items."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from mapsi.errors import FeedError
from mapsi.providers.rows.rows import FIELDS, Row
from mapsi.providers.rows.texts import INLINE, MAX_FIELD

MAX_DEPTH = 100
"""Elements within one another; a parser keeps something of each, and no feed needs more than twenty."""

FEED_ROOTS = frozenset({"rss", "feed", "rdf"})
_LIST_ROOTS = """
    catalog catalogue channel data goods items offers product_feed product_list productfeed productlist products
    root shop store xml
"""
LIST_ROOTS = frozenset(_LIST_ROOTS.split())
"""What a list of products begins with where it is neither RSS nor Atom, but has the same fields."""

_FEED_ITEMS = frozenset({"item", "entry"})
_LIST_ITEMS = _FEED_ITEMS | {"product", "offer"}
_ATOM_NAMES = {"summary": "description", "content": "description"}
_PRICES = frozenset({"price", "sale_price"})
_WAYS = {"link": ("href",), "image_link": ("href", "url", "src")}
"""Attributes in which a field's address may stand instead of in its text."""

_BESIDE = {"enclosure": "url", "media:content": "url", "media:thumbnail": "url", "link": "href"}
"""Elements beside the fields that may hold the picture, with the attribute of its address."""

_OF_A_PICTURE = ("enclosure", "image", "preview", "http://schemas.google.com/g/2005#image")
_CAPITALS = re.compile(r"(?<=[a-z])(?=[A-Z])")  # imageLink
_CURRENCY = ("currency", "unit", "currencyid", "currency_code")
_MERCHANT = "base.google.com/ns/1"
_ATOM = "www.w3.org/2005/atom"

Attributes = Mapping[str, str]


class TooDeepError(ValueError):
    """Elements are nested too deeply."""


class Items:
    """Collects the fields of the item that a parser is in, and puts whole items into ``ready``. ``line`` tells the line
    that the parser is in."""

    def __init__(self, line: Callable[[], int]) -> None:
        self.ready: list[Row] = []
        self.begun_at = 0  # line of the item that is open, 0 where none is
        self.item_name = ""
        self.outer: list[tuple[str, Attributes]] = []  # the tags that are open around items
        self._line = line
        self._depth = 0
        self._item_depth = 0
        self._item_names = _FEED_ITEMS
        # What a prefix says of a field: True is the Merchant namespace, False another one that is read. Declarations
        # hold within their element: each that brings some has the prefixes from before it kept by its depth.
        self._prefixes = {"g": True, "": False}
        self._before: dict[int, dict[str, bool]] = {}
        self._meanings: dict[str, tuple[str, bool] | None] = {}  # of tags under these prefixes: a feed has few
        self._bare: dict[str, str] = {}
        self._prefixed: dict[str, str] = {}
        self._aside: dict[str, str] = {}  # a picture or an id that stands in no field
        self._into = self._bare
        self._field = self._said = ""
        self._parts: list[str] | None = None
        self._length = 0

    def start(self, name: str, attributes: Attributes) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TooDeepError(f"elements are nested more than {MAX_DEPTH} deep")
        if attributes:
            self._declare(attributes)
        if self._item_depth:
            if self._depth == self._item_depth + 1:
                self._begin_field(name, attributes)
            else:
                self._part_words(name)
            return
        local = name.rpartition(":")[2].lower()
        if self._depth == 1:
            self._begin_document(name, local)
        if local in self._item_names:
            self._begin_item(name, attributes)
        else:
            self.outer.append((name, attributes))

    def _begin_document(self, name: str, local: str) -> None:
        if local in LIST_ROOTS:
            self._item_names = _LIST_ITEMS
        elif local not in FEED_ROOTS:
            raise FeedError(
                f"The feed is neither RSS nor Atom nor a list of products: it begins with <{name[:40]}>.",
                "Check the address.",
            )

    def _begin_item(self, name: str, attributes: Attributes) -> None:
        self._item_depth, self.item_name, self.begun_at = self._depth, name, self._line()
        self._bare, self._prefixed, self._aside = {}, {}, {}
        if self._item_names is _LIST_ITEMS and "id" in attributes:
            self._aside["id"] = attributes["id"]
        self._read_bare(name.rpartition(":")[0])

    def end(self, name: str) -> None:
        if self._depth == self._item_depth + 1 and self._item_depth:
            self._end_field()
        elif not self._item_depth:
            self.outer.pop()
        elif self._depth == self._item_depth:
            self.ready.append((self.begun_at, self._aside | self._bare | self._prefixed))
            self._item_depth = self.begun_at = 0
        else:
            self._part_words(name)
        if self._depth in self._before:
            self._prefixes = self._before.pop(self._depth)
            self._meanings.clear()
        self._depth -= 1

    def text(self, content: str) -> None:
        if self._parts is not None and self._length < MAX_FIELD:
            self._parts.append(content)
            self._length += len(content)

    def _part_words(self, name: str) -> None:
        """Markup inside a text: what is left of a tag is the blank that it makes between words."""
        if name.lower() not in INLINE:
            self.text(" ")

    def _declare(self, attributes: Attributes) -> None:
        declared = {name[6:]: uri.lower() for name, uri in attributes.items() if name.startswith("xmlns:")}
        if declared:
            self._before[self._depth] = self._prefixes
            self._prefixes = {
                prefix: kept for prefix, kept in self._prefixes.items() if prefix not in declared or prefix == "g"
            }
            self._prefixes |= {prefix: True for prefix, uri in declared.items() if _MERCHANT in uri}
            self._prefixes |= {prefix: False for prefix, uri in declared.items() if _ATOM in uri}
            self._meanings.clear()

    def _read_bare(self, prefix: str) -> None:
        """Fields under the prefix of the items themselves (``<r:item><r:title>``) are as good as bare."""
        if prefix not in self._prefixes:
            self._prefixes = {**self._prefixes, prefix: False}
            self._meanings.clear()

    def _begin_field(self, name: str, attributes: Attributes) -> None:
        if attributes and name.lower() in _BESIDE:
            self._note_picture(name.lower(), attributes)
        if name not in self._meanings:
            self._meanings[name] = self._meaning(name)
        meaning = self._meanings[name]
        if meaning is None:
            return
        self._field, prefixed = meaning
        self._into = self._prefixed if prefixed else self._bare
        self._parts, self._length, self._said = [], 0, ""
        if attributes:
            self._begin_with(attributes)

    def _meaning(self, name: str) -> tuple[str, bool] | None:
        """The field that a tag names, and whether by the Merchant namespace."""
        prefix, _, local = name.rpartition(":")
        prefix = prefix if prefix in self._prefixes else prefix.lower()
        field = _CAPITALS.sub("_", local).lower().replace("-", "_")
        field = _ATOM_NAMES.get(field, field)
        return (field, self._prefixes[prefix]) if field in FIELDS and prefix in self._prefixes else None

    def _begin_with(self, attributes: Attributes) -> None:
        if self._field in _WAYS and attributes.get("rel", "alternate") == "alternate":
            self._said = next((attributes[name] for name in _WAYS[self._field] if name in attributes), "")
        if self._field in _PRICES:
            self._note_currency(attributes)

    def _note_picture(self, name: str, attributes: Attributes) -> None:
        """What RSS and Atom have for a picture where a feed has no field for it: ``<enclosure type="image/jpeg">``,
        ``<media:content medium="image">``, ``<link rel="image">``."""
        kind = attributes.get("type", "") or attributes.get("medium", "")
        if name == "link" and attributes.get("rel", "") not in _OF_A_PICTURE:
            return
        if (not kind or kind.startswith("image")) and _BESIDE[name] in attributes:
            self._aside.setdefault("image_link", attributes[_BESIDE[name]])

    def _note_currency(self, attributes: Attributes) -> None:
        """A price may name its currency beside itself: ``<price currency="USD">49.00</price>``."""
        for name, value in attributes.items():
            if name.rpartition(":")[2].lower() in _CURRENCY and value.strip():
                self._into.setdefault("currency", value)

    def _end_field(self) -> None:
        if self._parts is not None:
            value = "".join(self._parts)
            value = value if value.strip() else self._said
            if value.strip():
                self._into.setdefault(self._field, value)
            self._parts = None

"""RSS 2.0 and Atom, item by item, with nothing of the document kept.

The parser refuses document type declarations, and with them every entity of a feed's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, Locator

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from mapsi.errors import FeedError
from mapsi.providers.fields import MAX_FIELD
from mapsi.providers.rows import FIELDS, Row

_CHUNK = 1 << 16
_MAX_SILENT = 16
_ROOTS = frozenset({"rss", "feed", "rdf"})
_ITEMS = frozenset({"item", "entry"})
_ATOM_NAMES = {"summary": "description", "content": "description"}
_MERCHANT = "base.google.com/ns/1"
_ATOM = "www.w3.org/2005/atom"


def read_items(text: TextIO) -> Iterator[Row]:
    """The items of a feed as rows, each with the line of its first tag.

    A field is a direct child of its item: prefixed with the Merchant namespace's prefix, or bare, the prefixed one
    winning. Raises :class:`FeedError` where the text is not well-formed (after the items before that place), declares a
    document type, is no feed, or holds no item.
    """
    items = _Items()
    parser = DefusedExpatParser(forbid_dtd=True)
    parser.setContentHandler(items)
    items.setDocumentLocator(parser)
    count = 0
    for chunk in _chunks(text, items):
        failure = _feed(parser, chunk, items)
        count += len(items.ready)
        yield from items.ready
        items.ready.clear()
        if failure is not None:
            raise failure
    if not count:
        raise FeedError("The feed holds no item.", "Export or fetch it again.")


def _chunks(text: TextIO, items: _Items) -> Iterator[str | None]:
    """The text in pieces and ``None`` for its end. Blank lines before the XML declaration, which XML does not allow but
    shops' templates leave there, are taken off and counted."""
    first = text.read(_CHUNK)
    begun = first.lstrip("\ufeff \t\r\n")
    items.lines_before = first[: len(first) - len(begun)].count("\n")
    yield begun
    while chunk := text.read(_CHUNK):
        yield chunk
    yield None


def _feed(parser: DefusedExpatParser, chunk: str | None, items: _Items) -> FeedError | None:
    """Parse a piece; what goes wrong is given back, so that the items before it can be handed out first."""
    try:
        if chunk is None:
            parser.close()
        else:
            parser.feed(chunk)
    except DefusedXmlException:
        return FeedError("The feed hides entity declarations, which could unfold without end.", "Remove its DOCTYPE.")
    except SAXParseException as error:
        line = items.lines_before + (error.getLineNumber() or 1)
        if chunk is None:
            return FeedError(f"The feed breaks off in line {line}.", "Export or fetch it again.")
        return FeedError(f"The feed is not well-formed XML in line {line}: {error.getMessage()}.", "Mend that line.")
    except FeedError as error:
        return error
    return items.stalled()


class _Items(ContentHandler):
    """Collects the fields of the item that the parser is in, and puts whole items into ``ready``."""

    _locator: Locator

    def __init__(self) -> None:
        super().__init__()
        self.ready: list[Row] = []
        self.lines_before = 0
        self._prefixes = {"g": True, "": False}
        self._depth = 0
        self._item_depth = 0
        self._line = 0
        self._bare: dict[str, str] = {}
        self._prefixed: dict[str, str] = {}
        self._into = self._bare
        self._field = ""
        self._parts: list[str] | None = None
        self._length = 0
        self._place: tuple[int | None, int | None] = (None, None)
        self._silent = 0

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 - the interface's name
        self._depth += 1
        if self._item_depth:
            if self._depth == self._item_depth + 1:
                self._begin_field(name, attrs)
            else:
                self.characters(f"<{name}>")  # markup inside a text, taken out with that of escaped texts
            return
        self._learn_prefixes(attrs)
        local = name.rpartition(":")[2].lower()
        if self._depth == 1 and local not in _ROOTS:
            raise FeedError(f"The feed is neither RSS nor Atom: it begins with <{name[:40]}>.", "Check the address.")
        if local in _ITEMS:
            self._item_depth = self._depth
            self._line = self._document_line()
            self._bare, self._prefixed = {}, {}

    def endElement(self, name: str) -> None:  # noqa: N802 - the interface's name
        if self._item_depth:
            if self._depth == self._item_depth + 1:
                self._end_field()
            elif self._depth == self._item_depth:
                self._item_depth = 0
                self.ready.append((self._line, self._bare | self._prefixed))
            else:
                self.characters(f"</{name}>")
        self._depth -= 1

    def characters(self, content: str) -> None:
        if self._parts is not None and self._length < MAX_FIELD:
            self._parts.append(content)
            self._length += len(content)

    def stalled(self) -> FeedError | None:
        """An error where piece after piece arrives and no tag or text ends: the parser would read its beginning anew
        with each piece, which takes time in the square of the length."""
        place = (self._locator.getLineNumber(), self._locator.getColumnNumber())
        self._silent = self._silent + 1 if place == self._place else 0
        self._place = place
        if self._silent > _MAX_SILENT:
            return FeedError("The feed has a single tag of more than a million characters.", "Check that it is a feed.")
        return None

    def _learn_prefixes(self, attrs: AttributesImpl) -> None:
        for name, value in attrs.items():
            if name.startswith("xmlns:"):
                if _MERCHANT in value.lower():
                    self._prefixes[name[6:]] = True
                elif _ATOM in value.lower():
                    self._prefixes[name[6:]] = False

    def _begin_field(self, name: str, attrs: AttributesImpl) -> None:
        prefix, _, local = name.rpartition(":")
        local = local.lower()
        field = _ATOM_NAMES.get(local, local)
        if field not in FIELDS or prefix not in self._prefixes:
            return
        self._field = field
        self._into = self._prefixed if self._prefixes[prefix] else self._bare
        self._parts, self._length = [], 0
        if field == "link" and "href" in attrs and attrs.get("rel", "alternate") == "alternate":
            self.characters(attrs["href"])

    def _end_field(self) -> None:
        if self._parts is not None:
            value = "".join(self._parts)
            if value.strip():
                self._into.setdefault(self._field, value)
            self._parts = None

    def _document_line(self) -> int:
        return self.lines_before + (self._locator.getLineNumber() or 1)

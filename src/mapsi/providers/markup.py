"""RSS 2.0, Atom and plain lists of products, item by item, with nothing of the document kept.

Document type declarations are refused, and with them every entity of a feed's own, so that nothing can unfold or reach
outside; elements are bounded in depth, and tags and texts in length. Why no library stands between: decision 12.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TextIO
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from mapsi.catalog.offer import BrokenRow
from mapsi.errors import FeedError
from mapsi.providers.items import FEED_ROOTS, LIST_ROOTS, Attributes, Items, TooDeepError
from mapsi.providers.rows.rows import Row

_CHUNK = 1 << 16
_MAX_SILENT = 16
_JUNK = expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT
_MAX_REFERENCE = 8
_BEYOND_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DECLARATIONS = re.compile(r"\ufeff?\s*(?:<\?xml\s[^>]*>\s*)*")
_ROOTS = "|".join(sorted(FEED_ROOTS | LIST_ROOTS))
_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<(!doctype\b|[a-z_][\w.:-]*)", re.DOTALL | re.IGNORECASE)
_MESSAGES = "a b big br code div em font hr i p pre small span strong table tbody td th thead tr tt u"
_IN_MESSAGES = frozenset(_MESSAGES.split())
"""Elements in which servers put what they have to say of themselves."""

_BEGINS_AGAIN = re.compile(rf"<(?:\w+:)?(?:{_ROOTS}|item|entry|product|offer)(?=[\s/>])", re.IGNORECASE)
_NOT_OF_XML = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)")


def root_of(head: str) -> int | None:
    """Where the first element begins, ``None`` where there is none. What servers print above it (warnings of PHP,
    comments, blank lines) is none of it."""
    tags = (match for match in _TAG.finditer(head) if match[1])
    return next((match.start() for match in tags if match[1].lower() not in _IN_MESSAGES), None)


def read_items(text: TextIO) -> Iterator[Row | BrokenRow]:
    """The items of a feed as rows, each with the line of its first tag.

    A field is a direct child of its item: in the Merchant namespace, by whatever prefix and wherever that is declared,
    or bare, the former winning. Control characters and ampersands that XML does not know are mended; an item that is
    not well-formed is a broken row, as long as its end is found. Raises :class:`FeedError` where the rest is not
    well-formed (after the items before that place), declares a document type, is no feed, or holds no item.
    """
    reading = _Reading()
    begun = False
    for chunk in _mended(_chunks(text, reading)):
        failure = reading.feed(chunk)
        begun = begun or bool(reading.found)
        yield from reading.found
        reading.found.clear()
        if failure is not None:
            raise failure
    failure = reading.close()
    if failure is not None:
        raise failure
    if not begun:
        raise FeedError(
            "The feed has no items.",
            "Export or fetch it again. Items are <item> or <entry>, in a list of products <product> or <offer> too.",
        )


def _chunks(text: TextIO, reading: _Reading) -> Iterator[str]:
    """The text in pieces, from its first element on; the lines above that are counted. The text is decoded already, and
    some XML declarations say what XML does not allow (``version="1.1"``, no encoding's name, twice)."""
    first = text.read(_CHUNK)
    root = root_of(first)
    if root is None and (match := _DECLARATIONS.match(first)):
        root = match.end()
    begun = first[root or 0 :]
    reading.lines_before = first[: len(first) - len(begun)].count("\n")
    yield begun
    while chunk := text.read(_CHUNK):
        yield chunk


def _mended(chunks: Iterable[str]) -> Iterator[str]:
    """The same text without what XML forbids. References that only HTML knows (``&nbsp;``), numbers of letters among
    them, are escaped once more: whoever reads a field undoes them there."""
    rest = ""
    for chunk in chunks:
        text = rest + chunk
        cut = text.rfind("&", -_MAX_REFERENCE)  # may go on in the next piece
        text, rest = (text, "") if cut < 0 else (text[:cut], text[cut:])
        yield _NOT_OF_XML.sub("&amp;", _BEYOND_XML.sub(" ", text))
    yield _NOT_OF_XML.sub("&amp;", rest)


class _Reading:
    """A parser and what it found; after an item that is not well-formed, a fresh parser at the next one."""

    def __init__(self) -> None:
        self.found: list[Row | BrokenRow] = []
        self.lines_before = 0
        self._silent = 0
        self._end: re.Pattern[str] | None = None  # of a broken item, while that is looked for
        self._passed_over = ""
        self._problem: FeedError | None = None
        self._is_over = False
        self._begin(())

    def _begin(self, outer: Iterable[tuple[str, Attributes]]) -> None:
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._items = Items(self._line)
        self._parser.StartElementHandler = self._items.start
        self._parser.EndElementHandler = self._items.end
        self._parser.CharacterDataHandler = self._items.text
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._fed = self._place = 0
        for name, attributes in outer:
            listed = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
            self._parse(f"<{name}{listed}>".replace("\n", "&#10;").encode())

    def _line(self) -> int:
        return self.lines_before + self._parser.CurrentLineNumber

    def feed(self, chunk: str) -> FeedError | None:
        """Parse a piece; what goes wrong is given back, so that the items before it can be handed out first."""
        while chunk:
            if self._is_over:
                return self._after_the_end(chunk)
            if self._end is not None:
                chunk = self._look_for_end(chunk)
                continue
            data = chunk.encode()
            try:
                self._parse(data)
                chunk = ""
            except FeedError as error:
                return error
            except (expat.ExpatError, TooDeepError) as error:
                self._hand_over()
                if str(error).startswith(_JUNK):
                    self._is_over = True
                    chunk = data[max(0, self._parser.CurrentByteIndex - self._fed) :].decode(errors="ignore")
                    continue
                at = max(0, self._parser.CurrentByteIndex - self._fed)
                chunk = data[max(0, at - 2) :].decode(errors="ignore")  # a closing tag is found wrong after its "</"
                if (failure := self._give_item_up(error)) is not None:
                    return failure
            finally:
                self._hand_over()
        return self._stalled()

    def _after_the_end(self, chunk: str) -> FeedError | None:
        """What servers append to a feed (scripts, notices) is passed over, unless it is more of a feed."""
        text = self._passed_over + chunk
        self._passed_over = text[-_MAX_REFERENCE:]
        if _BEGINS_AGAIN.search(text):
            return FeedError("The feed goes on after its end: it is several in one file.", "Give each a file.")
        return None

    def _hand_over(self) -> None:
        self.found += self._items.ready
        self._items.ready.clear()

    def close(self) -> FeedError | None:
        """Tell whether the feed ended where it should."""
        if self._end is not None or self._is_over:
            return self._problem if self._end is not None else None
        try:
            self._parser.Parse(b"", True)
        except (expat.ExpatError, FeedError):
            return FeedError(f"The feed is cut off in line {self._line()}.", "Export or fetch it again.")
        return None

    def _parse(self, data: bytes) -> None:
        self._parser.Parse(data, False)
        self._fed += len(data)

    def _give_item_up(self, error: expat.ExpatError | TooDeepError) -> FeedError | None:
        why = str(error).partition(": line")[0]
        self._problem = FeedError(f"The feed is not well-formed XML in line {self._line()}: {why}.", "Mend that line.")
        if not self._items.begun_at:
            return self._problem
        self.found.append(
            BrokenRow(self._items.begun_at, f"The item is not well-formed XML in line {self._line()}: {why}.")
        )
        self._end = re.compile(rf"</{re.escape(self._items.item_name)}\s*>")
        self._passed_over = ""
        self.lines_before = self._line() - 1
        return None

    def _look_for_end(self, chunk: str) -> str:
        """What follows the end of the broken item, nothing while that does not come."""
        assert self._end is not None
        text = self._passed_over + chunk
        match = self._end.search(text)
        passed = text[: match.end()] if match else text[: -len(self._end.pattern)]
        self.lines_before += passed.count("\n")
        if match is None:
            self._passed_over = text[len(passed) :]
            return ""
        self._end = None
        self._begin(tuple(self._items.outer))
        return text[match.end() :]

    def _stalled(self) -> FeedError | None:
        """An error where piece after piece arrives and no tag or text ends: the parser would read its beginning again
        with each piece, which takes time in the square of the length."""
        place = self._parser.CurrentByteIndex
        self._silent = self._silent + 1 if place == self._place and self._end is None else 0
        self._place = place
        if self._silent > _MAX_SILENT:
            return FeedError("The feed has a single tag of more than a million characters.", "Check that it is a feed.")
        return None


def _refuse_doctype(*_: object) -> None:
    raise FeedError("The feed contains entity declarations, which could expand without end.", "Remove its DOCTYPE.")

"""Reading entries of strangers' answers: fields of any type become plain texts and numbers, pages become a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

from mapsi.collect.faults import SourceChanged
from mapsi.collect.source import Found
from mapsi.http_address import is_http

MAX_TEXT = 300
MAX_SIDE = 1_000_000


class _Words(HTMLParser):
    """Collects what a reader would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self._hidden = 0

    def parse_html_declaration(self, i: int) -> int:
        """Take ``<!...>`` for a comment: the standard reader stops the program at ``<![`` with an unknown word."""
        return self.parse_bogus_comment(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style")
        self.seen.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style") and self._hidden > 0
        self.seen.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.seen.append(data)


def plain_text(value: object) -> str:
    """A field without markup, in one line, at most 300 characters; empty where it is no text."""
    if not isinstance(value, str):
        return ""
    words = _Words()
    words.feed(value[: 20 * MAX_TEXT])
    words.close()
    text = "".join(c if c.isprintable() else " " for c in "".join(words.seen))
    return " ".join(text.split())[:MAX_TEXT].rstrip()


def address_of(value: object) -> str:
    """A field that holds an http(s) address, stripped; empty where it holds none, or one that is not a line of text."""
    text = value.strip() if isinstance(value, str) else ""
    return text if is_http(text) and text.isprintable() else ""


def pixels(value: object) -> int:
    """A side in pixels from a number or its text; 0 where it is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 7:
        value = int(value)
    return value if type(value) is int and 0 < value <= MAX_SIDE else 0


def entries(document: Mapping[str, Any], key: str, source: str) -> list[Mapping[str, Any]]:
    """The objects listed under ``key``; raises :class:`SourceChanged` where there is no list of objects."""
    listed = document.get(key)
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise SourceChanged(
            source, f"The answer of {source} has no list of photos under {key!r}.", "Its API may have changed."
        )
    return listed


def stream(
    pages: Iterable[list[Mapping[str, Any]]], read: Callable[[Mapping[str, Any], int], Found], source: str
) -> Iterator[Found]:
    """Photos of pages, lazily, each address once; ``read`` makes one of an entry and its rank.

    A page that brings nothing new ends it: some APIs give their last page forever. Raises :class:`SourceChanged` where
    no entry of a page names a photo.
    """
    seen: set[str] = set()
    rank = 0
    for page in pages:
        named = fresh = 0
        for entry in page:
            rank += 1
            found = read(entry, rank)
            if not found.address:
                continue
            named += 1
            if found.address not in seen:
                seen.add(found.address)
                fresh += 1
                yield found
        if page and not named:
            raise SourceChanged(source, f"No entry of {source} names a photo's address.", "Its API may have changed.")
        if not fresh:
            return

"""A source and the queries of one class that are still to be put to it, taken in turn with the other sources'."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mapsi.collect.source import Found, Query, Source
from mapsi.taxonomy import Class


@dataclass(frozen=True, slots=True)
class NamedPhoto:
    """A photo that a source named, before it is known what becomes of it."""

    source: str
    query: Query
    found: Found


def queries_of(cls: Class, languages: Sequence[str] = ("ko", "en")) -> list[Query]:
    """What a class is searched by: its names, then its search words, each once, those in ``languages`` (``ko``,
    ``en``)."""
    queries: dict[str, Query] = {}
    for text in cls.all_words:
        language = "ko" if any("가" <= letter <= "힣" for letter in text) else "en"
        if language in languages:
            queries.setdefault(text.casefold(), Query(text=text, language=language, cls=cls))
    return list(queries.values())


class Lane:
    """One source's photos for one class: query after query, each until it has no more."""

    def __init__(self, source: Source, queries: Sequence[Query]) -> None:
        self.source = source
        self._queries = iter(queries)
        self._query: Query | None = None
        self._results: Iterator[Found] = iter(())

    def take(self) -> NamedPhoto | None:
        """The next photo, None where there is no more.

        Raises what the source raises; the next call continues with the next query.
        """
        while True:
            try:
                found = next(self._results, None)
            except BaseException:
                self._results = iter(())
                raise
            if found is not None and self._query is not None:
                return NamedPhoto(self.source.name, self._query, found)
            self._query = next(self._queries, None)
            if self._query is None:
                return None
            self._results = self.source.search(self._query)

    def close(self) -> None:
        """Let the source release what it holds for a search (a browser)."""
        results: Any = self._results
        if hasattr(results, "close"):
            results.close()

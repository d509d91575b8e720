"""The words of the taxonomy's classes, kept in the database so that a search needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection, delete, insert, select

from mapsi.catalog.store.generation import advance_generation
from mapsi.catalog.store.tables import ClassWords
from mapsi.catalog.text.tokens import searchable, stem
from mapsi.catalog.text.vocabulary import JOINED, joined_neighbours
from mapsi.taxonomy import Taxonomy


@dataclass(frozen=True)
class KnownClass:
    """A class with the words of each of its names and search words, the Korean and the English name first."""

    axis: str
    slug: str
    texts: tuple[tuple[str, ...], ...]

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        return self.texts[:2]

    @cached_property
    def whole_words(self) -> tuple[frozenset[str], ...]:
        """For each text its words, English ones as their stems, and neighbours of CJK as one."""
        return tuple(frozenset((*map(stem, text), *_joined(text))) for text in self.texts)


def _joined(text: Sequence[str]) -> Iterator[str]:
    return (word.removeprefix(JOINED) for word in joined_neighbours(text))


def save_class_words(connection: Connection, taxonomy: Taxonomy) -> None:
    """Put the taxonomy's words in the place of the ones before, in the caller's transaction, where they differ."""
    wanted = {
        (axis.slug, cls.slug): "".join(map(searchable, cls.all_words))
        for axis in taxonomy.axes.values()
        for cls in axis.classes
    }
    kept = {(row.axis, row.slug): row.words for row in connection.execute(select(ClassWords))}
    if kept == wanted:
        return
    connection.execute(delete(ClassWords))
    connection.execute(
        insert(ClassWords), [{"axis": axis, "slug": slug, "words": words} for (axis, slug), words in wanted.items()]
    )
    advance_generation(connection)


def load_class_words(connection: Connection) -> list[KnownClass]:
    """The classes as they were last saved, by axis and slug."""
    query = select(ClassWords).order_by(ClassWords.axis, ClassWords.slug)
    # Searchable texts begin and end with a blank: two blanks stand where one text ends and the next begins.
    return [
        KnownClass(row.axis, row.slug, tuple(tuple(text.split()) for text in row.words.split("  ")))
        for row in connection.execute(query)
    ]

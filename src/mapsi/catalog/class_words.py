"""The words of the taxonomy's classes, kept in the database so that a search needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from mapsi.catalog.generation import advance_generation
from mapsi.catalog.tables import ClassWords
from mapsi.catalog.tokens import searchable
from mapsi.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class KnownClass:
    """A class as ``axis:slug`` and the searchable text of its names and search words."""

    key: str
    words: str


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
    query = select(ClassWords).order_by(ClassWords.axis, ClassWords.slug)
    return [KnownClass(f"{row.axis}:{row.slug}", row.words) for row in connection.execute(query)]

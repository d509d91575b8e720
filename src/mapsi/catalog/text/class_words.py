"""The words of the taxonomy's classes, kept in the database so that a search needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from mapsi.catalog.store.generation import advance_generation
from mapsi.catalog.store.tables import ClassWords
from mapsi.catalog.text.tokens import searchable
from mapsi.taxonomy import Axis, Class, Taxonomy


@dataclass(frozen=True)
class KnownClass:
    """A class with the words of each of its names and search words, the names first: the Korean and the English one,
    and those of what it is a kind of, so that who asks for shoes is shown sneakers."""

    axis: str
    slug: str
    names: tuple[tuple[str, ...], ...]
    others: tuple[tuple[str, ...], ...] = ()

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        return self.names + self.others


def _written(axis: Axis, cls: Class) -> str:
    """Names, a stroke, and search words, each as a searchable text: `` 운동화  sneakers  신발  shoes / trainers ``."""
    lineage = [axis.find(slug) for slug in axis.lineage(cls.slug)]
    names = dict.fromkeys(name for one in lineage for name in (one.name.ko, one.name.en))
    others = dict.fromkeys(word for one in lineage for word in one.words)
    return "/".join("".join(map(searchable, texts)) for texts in (names, others))


def save_class_words(connection: Connection, taxonomy: Taxonomy) -> None:
    """Put the taxonomy's words in place of the ones before, in the caller's transaction, where they differ."""
    wanted = {(axis.slug, cls.slug): _written(axis, cls) for axis in taxonomy.listed.values() for cls in axis.classes}
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
    return [
        KnownClass(row.axis, row.slug, *(_texts(part) for part in row.words.partition("/")[::2]))
        for row in connection.execute(query)
    ]


def _texts(part: str) -> tuple[tuple[str, ...], ...]:
    """Searchable texts begin and end with a blank: two blanks stand where one text ends and the next begins."""
    return tuple(tuple(text.split()) for text in part.split("  ") if text.strip())

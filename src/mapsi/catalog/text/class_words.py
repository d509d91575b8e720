"""The taxonomy's classes as the catalogue keeps them: the keys of a listing, and their words, so that a search needs
nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from mapsi.catalog.store.changes import advance_generation
from mapsi.catalog.store.tables import ClassWords
from mapsi.catalog.text.tokens import searchable
from mapsi.taxonomy import Class, Taxonomy
from mapsi.taxonomy.categories import OTHER


@dataclass(frozen=True)
class KnownClass:
    """A class with the words of each of its names, the Korean and the English one, and of its search words."""

    axis: str
    slug: str
    names: tuple[tuple[str, ...], ...]
    others: tuple[tuple[str, ...], ...] = ()

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        return self.names + self.others


def class_keys(classes: Mapping[str, str], taxonomy: Taxonomy) -> str:
    """Classes (axis to slug) as a listing keeps them, each with what it is a kind of, so that who asks for shoes is
    shown sneakers: `` garment:sneakers garment:shoes style:athleisure ``; ``other`` is none of them."""
    keys = [f"{axis}:{slug}" for axis, own in sorted(classes.items()) for slug in _lineage(taxonomy, axis, own)]
    return f" {' '.join(keys)} " if keys else ""


def classes_of(keys: str) -> dict[str, str]:
    """The classes (axis to slug) that :func:`class_keys` were made of: the first of each axis."""
    found: dict[str, str] = {}
    for key in keys.split():
        axis, _, slug = key.partition(":")
        found.setdefault(axis, slug)
    return found


def _lineage(taxonomy: Taxonomy, axis: str, slug: str) -> tuple[str, ...]:
    """A class of another taxonomy, before the model has looked by this one, stands for itself."""
    if slug == OTHER:
        return ()
    known = axis in taxonomy.axes and slug in taxonomy.axes[axis].by_slug
    return taxonomy.axes[axis].lineage(slug) if known else (slug,)


def _written(cls: Class) -> str:
    """Names, a stroke, and search words, each as a searchable text: `` 운동화  sneakers / trainers ``."""
    texts = (dict.fromkeys((cls.name.ko, cls.name.en)), dict.fromkeys(cls.words))
    return "/".join("".join(map(searchable, each)) for each in texts)


def save_class_words(connection: Connection, taxonomy: Taxonomy) -> None:
    """Put the taxonomy's words in place of the ones before, in the caller's transaction, where they differ."""
    wanted = {(axis.slug, cls.slug): _written(cls) for axis in taxonomy.listed.values() for cls in axis.classes}
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

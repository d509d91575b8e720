"""Products by words: candidates from the full-text index, then needles, which decide and rank."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import ColumnElement, Connection, Integer, TextClause, column, func, literal_column, select, text
from sqlalchemy.dialects.mysql import match

from mapsi.catalog.class_words import KnownClass
from mapsi.catalog.filters import Filters, Sort
from mapsi.catalog.narrowing import Window, conditions, order
from mapsi.catalog.tables import WORD_INDEX, Listing
from mapsi.catalog.tokens import Term, Ways, boolean_query, class_token, fts5_query


def find_by_words(
    connection: Connection,
    terms: Sequence[Term],
    known: Sequence[KnownClass],
    filters: Filters,
    sort: Sort,
    window: Window,
) -> tuple[list[int], int]:
    """Offer ids of one page, one a product, and the number of products over all pages.

    One statement: score the candidates, keep the best of each product, sort. Its cost is the number of candidates, about
    a microsecond each a term; nothing is scanned.
    """
    asked = [_Asked.of(term, known) for term in terms]
    scored = (
        select(
            Listing.offer_id,
            Listing.shop_id,
            Listing.group_key,
            Listing.price_order,
            _score(asked),
        )
        .where(_is_candidate(connection, asked), *conditions(filters))
        .subquery("scored")
    )
    score: ColumnElement[int] = literal_column("scored.score", Integer)
    best_first = [score, scored.c.price_order, scored.c.offer_id]
    place = func.row_number().over(partition_by=[scored.c.shop_id, scored.c.group_key], order_by=best_first)
    ranked = select(scored, score.label("score"), place.label("place")).where(score.is_not(None)).subquery("ranked")
    newest = [ranked.c.score.asc(), ranked.c.offer_id.desc()]
    products = (
        select(ranked.c.offer_id, func.count().over().label("total"))
        .where(ranked.c.place == 1)
        .order_by(*order(sort, newest, ranked.c.price_order, ranked.c.offer_id))
    )
    rows = connection.execute(products.limit(window.size).offset(window.offset)).all()
    if rows or window.number == 1:
        return [row.offer_id for row in rows], rows[0].total if rows else 0
    # Beyond the end no row is left to tell the total.
    return [], int(connection.scalar(select(func.count()).select_from(products.subquery())) or 0)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A term, and the keys of the classes whose words hold it as a whole word or as part of one."""

    term: Term
    whole: tuple[str, ...]
    part: tuple[str, ...]

    @classmethod
    def of(cls, term: Term, known: Iterable[KnownClass]) -> Self:
        whole = tuple(entry.key for entry in known if term.is_whole_in(entry.words))
        part = tuple(entry.key for entry in known if term.is_part_in(entry.words) and entry.key not in whole)
        return cls(term, whole, part)

    @property
    def ways(self) -> Ways:
        return (*self.term.ways, *((class_token(key),) for key in (*self.whole, *self.part)))


def _is_candidate(connection: Connection, asked: Iterable[_Asked]) -> ColumnElement[bool]:
    ways = [each.ways for each in asked]
    if connection.dialect.name == "sqlite":
        rowids = text(f"SELECT rowid FROM {WORD_INDEX} WHERE {WORD_INDEX} MATCH :words")  # noqa: S608  a constant
        return Listing.offer_id.in_(rowids.bindparams(words=fts5_query(ways)).columns(column("rowid", Integer)))
    tokens: Any = Listing.tokens
    return match(tokens, against=boolean_query(ways), in_boolean_mode=True)


def _score(asked: Sequence[_Asked]) -> TextClause:
    """The smaller the better, NULL where a term is nowhere. The places of all terms (title 0, about 1, classes 2) weigh
    more than how many of them are only parts of words.

    Written as text, the same for both databases: as a tree of some hundred expression objects it took longer to build
    than to run. What a person typed goes in as parameters only.
    """
    needles: dict[str, str] = {}
    cases = [_score_one(each, len(asked) + 1, needles) for each in asked]
    return text(f"({' + '.join(cases)}) AS score").bindparams(**needles)


def _score_one(asked: _Asked, place: int, needles: dict[str, str]) -> str:
    """One term's CASE; puts what it looks for into ``needles``, by parameter name."""
    looked_for = (
        ("title", asked.term.whole),
        ("title", asked.term.part),
        ("about", asked.term.whole),
        ("about", asked.term.part),
        ("classes", tuple(f" {key} " for key in asked.whole)),
        ("classes", tuple(f" {key} " for key in asked.part)),
    )
    whens = []
    for at, (field, sought) in enumerate(looked_for):
        holds = []
        for needle in sought:
            name = f"needle{len(needles)}"
            needles[name] = needle
            holds.append(f"instr(listings.{field}, :{name}) > 0")
        if holds:
            whens.append(f"WHEN {' OR '.join(holds)} THEN {at // 2 * place + at % 2}")
    return f"CASE {' '.join(whens)} END"

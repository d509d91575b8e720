"""The shop window in memory, at one generation of the catalogue, and how it keeps up with the next ones.

The database stays the truth: an index is read out of it, once whole and then by the book of changes
(:mod:`mapsi.catalog.store.changes`), within the very transaction that asks. So an answer never mixes two states, whichever
process or machine imported. Why not in SQL: docs/decisions/0007.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
from cachetools import LRUCache
from sqlalchemy import Connection, Select, select

from mapsi.catalog.listings.segment import ListingRow, Segment, build_segment
from mapsi.catalog.store.changes import changes_since
from mapsi.catalog.store.generation import read_generation
from mapsi.catalog.store.tables import Listing, Shop
from mapsi.catalog.text.class_words import KnownClass, load_class_words

_BATCH = 5000
_MOST_SEGMENTS = 6
_MOST_BESIDE = 100_000
"""So many listings may stand in the segments beside the large one before all are put together anew."""

_COLUMNS: tuple[Any, ...] = tuple(getattr(Listing, name) for name in ListingRow._fields)


@dataclass(frozen=True, slots=True)
class ListingIndex:
    """All listings of one generation. ``shops`` gives slug and name by the database's number. ``memory`` keeps answers
    that hold for this generation."""

    generation: int
    segments: tuple[Segment, ...]
    shops: Mapping[int, tuple[str, str]]
    classes: Sequence[KnownClass]
    memory: LRUCache[Hashable, Any] = field(default_factory=lambda: LRUCache(maxsize=1024), compare=False)
    memory_lock: Lock = field(default_factory=Lock, compare=False)


class IndexKeeper:
    """Hands out the index that fits the generation a transaction sees. Safe to share between threads: one of them
    catches up, the others wait for it."""

    def __init__(self) -> None:
        self._kept: ListingIndex | None = None
        self._lock = Lock()

    def at(self, connection: Connection) -> ListingIndex | None:
        """The index of the generation that this transaction sees; ``None`` where a later transaction has moved it on
        already, so that the caller has to begin a new one."""
        generation = read_generation(connection)
        kept = self._kept
        if kept is None or kept.generation < generation:
            with self._lock:
                kept = self._kept
                if kept is None or kept.generation < generation:
                    kept = self._kept = _catch_up(connection, kept, generation)
        return kept if kept.generation == generation else None


def _catch_up(connection: Connection, before: ListingIndex | None, generation: int) -> ListingIndex:
    segments = None if before is None else _changed_segments(connection, before)
    if segments is None:
        segments = (build_segment(_read(connection, select(*_COLUMNS))),)
    return ListingIndex(
        generation=generation,
        segments=segments,
        shops={row.id: (row.slug, row.name) for row in connection.execute(select(Shop.id, Shop.slug, Shop.name))},
        classes=load_class_words(connection),
    )


def _changed_segments(connection: Connection, before: ListingIndex) -> tuple[Segment, ...] | None:
    """The segments with what changed since in one more; ``None`` where it is time to read all anew.

    A product moves as a whole: all variants of one that changed come into the new segment, so that no product stands in
    two of them."""
    changed = changes_since(connection, before.generation)
    if changed is None or len(before.segments) > _MOST_SEGMENTS:
        return None
    if not changed:
        return before.segments
    offers = np.array(changed, np.int64)
    touched = np.unique(np.concatenate([offers, *(segment.siblings(offers) for segment in before.segments)]))
    added = build_segment(_read_products(connection, touched.tolist()))
    beside = sum(segment.size for segment in before.segments[1:]) + added.size
    if beside > _MOST_BESIDE:
        return None
    gone = np.union1d(touched, added.offer)
    return (*(segment.without(gone) for segment in before.segments), added)


def _read_products(connection: Connection, offers: Sequence[int]) -> Iterator[Any]:
    """The listings of these offers and all variants of their products, each once."""
    seen: set[int] = set()
    for at in range(0, len(offers), _BATCH // 10):
        part = offers[at : at + _BATCH // 10]
        groups = select(Listing.shop_id, Listing.group_key).where(Listing.offer_id.in_(part)).distinct().subquery()
        same_product = (Listing.shop_id == groups.c.shop_id) & (Listing.group_key == groups.c.group_key)
        for row in connection.execute(select(*_COLUMNS).join(groups, same_product)):
            if row.offer_id not in seen:
                seen.add(row.offer_id)
                yield row


def _read(connection: Connection, query: Select[Any]) -> Iterator[Any]:
    """All rows by offer, in flat memory."""
    query, last = query.order_by(Listing.offer_id).limit(_BATCH), 0
    while batch := connection.execute(query.where(Listing.offer_id > last)).all():
        yield from batch
        last = batch[-1].offer_id

"""From the rows that match to one page of products: the best variant of each, in the order asked for.

Nothing here sorts all that matches: of a million rows, those that cannot be among the first few are left out before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mapsi.catalog.filters import SORTS, Sort
from mapsi.catalog.listings.segment import Ints, Segment
from mapsi.catalog.listings.words import Scores
from mapsi.errors import UsageError

_FIRST_LOOK = 4096
_DENSE = 50


class Ranking(NamedTuple):
    """Products of one segment: the row of each one's variant to show, and the scores of all rows."""

    segment: Segment
    rows: Ints
    scores: Scores


def best_variants(segment: Segment, rows: Ints, scores: Scores) -> Ints:
    """Of rising ``rows``, the one with the best score of each product; of equals the first, which is the cheapest."""
    shared = segment.shared[rows]
    if not shared.any():
        return rows
    together = rows[shared]
    groups, found = segment.group[together], scores[together]
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    best = np.repeat(np.minimum.reduceat(found, starts), np.diff(starts, append=len(together)))
    hits = np.flatnonzero(found == best)
    chosen = together[hits[np.diff(groups[hits], prepend=-1) != 0]]
    return np.concatenate((rows[~shared], chosen))


def first_products(parts: Sequence[Ranking], sort: Sort, count: int) -> Ints:
    """The offers that come first, at most ``count``, out of the products of several segments."""
    kept = [Ranking(part.segment, _first(part, sort, count), part.scores) for part in parts]
    offers = np.concatenate([part.segment.offer[part.rows] for part in kept])
    match sort:
        case "likeness":
            order = np.lexsort((-offers, np.concatenate([part.scores[part.rows] for part in kept])))
        case "price-up" | "price-down":
            prices = np.concatenate([part.segment.price[part.rows] for part in kept])
            order = np.lexsort((offers, prices if sort == "price-up" else -prices))
        case _:
            raise UsageError(f"There is no order {sort!r}.", f"There are: {', '.join(SORTS)}.")
    return np.asarray(offers[order[:count]])


def _first(part: Ranking, sort: Sort, count: int) -> Ints:
    """The rows that may be among the first ``count``: a few more, in no order."""
    if len(part.rows) <= count:
        return part.rows
    if sort == "likeness":
        return _likeliest(part, count)
    prices = part.segment.price[part.rows]
    signed = prices if sort == "price-up" else -prices
    return np.asarray(part.rows[signed <= np.partition(signed, count - 1)[count - 1]])


def _likeliest(part: Ranking, count: int) -> Ints:
    """The best tiers of scores that hold ``count`` together; of the last one the newest offers."""
    found = part.scores[part.rows]
    reached = np.cumsum(np.bincount(found))
    last = int(np.searchsorted(reached, count))
    better, tier = part.rows[found < last], part.rows[found == last]
    return np.concatenate((better, _newest(part.segment, tier, count - len(better))))


def _newest(segment: Segment, rows: Ints, count: int) -> Ints:
    if len(rows) <= count:
        return rows
    if len(rows) * _DENSE < segment.size:
        offers = segment.offer[rows]
        return np.asarray(rows[offers >= np.partition(offers, len(rows) - count)[len(rows) - count]])
    # So many that they are soon met when one walks back from the newest.
    inside = np.zeros(segment.size, np.bool_)
    inside[rows] = True
    look = _FIRST_LOOK
    while True:
        newest = segment.by_offer[-look:]
        met = newest[inside[newest]]
        if len(met) >= count or look >= segment.size:
            return met.astype(np.int64)
        look *= 4

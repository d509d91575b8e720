"""The order of products for a photo: by one score, one row per product, as far as there is anything like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mapsi.arrays import BoolArray, FloatArray, IntArray
from mapsi.search.aside import Aside, losses
from mapsi.search.cells import CellArray
from mapsi.search.score import Agreements, Weights, agreements, logit
from mapsi.search.snapshot import Snapshot
from mapsi.search.wish import Wish

POOL = 240
"""An answer to a photo holds at most this many products (ten pages)."""
SAME_PICTURE = 0.985
"""From this cosine on, two pictures are copies of one another (re-encoded, scaled): the product itself was
photographed, and whatever its kind, it is taken to agree in all."""

MOST_COPIES = 32
MOST_LOOKED_AT = 8192
"""Rows scored for an answer at most: the most alike of those that agree enough. An answer is exact where fewer do."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Rows of the index in the order to show, with their ``scores``, 0..1, and how each ``fits``, 0..1: its score if
    colour did not count, by which the garments of a look take turns."""

    rows: IntArray
    scores: FloatArray
    fits: FloatArray

    def __len__(self) -> int:
        return len(self.rows)


def rank(
    snapshot: Snapshot,
    wish: Wish,
    allowed: BoolArray | None,
    weights: Weights,
    pool: int = POOL,
    aside: Sequence[Aside] = (),
) -> Ranked:
    """The ``pool`` best products for a wish among the ``allowed`` rows, shape (rows,) (``None`` for all), one row a
    product (its best variant), down to the score ``weights.least``; of equal scores the row that comes first."""
    agree, cells = agreements(wish, snapshot.columns, weights), snapshot.columns.cells
    # A cosine is 1 at most: what would not be shown even so need not be looked at.
    at_most = agree.logit + weights.of_likeness(np.ones_like(agree.place), agree.place)
    hopeful = (at_most >= logit(weights.least))[cells.of_row]
    looked_at = hopeful if allowed is None else hopeful & allowed
    # Copies are found among all rows, whatever they agree in: those that are not looked at anyhow are scanned for them.
    elsewhere = _copies(*snapshot.index.nearest(wish.embedding, MOST_COPIES, _others(hopeful, allowed)), weights)
    available, count, agreed = int(np.count_nonzero(looked_at)), 4 * pool, None
    while True:
        rows, cosines = snapshot.index.nearest(wish.embedding, count, looked_at)
        wanted = cosines - losses(snapshot, rows, cosines, aside)
        copies = _copies(rows[:MOST_COPIES], cosines[:MOST_COPIES], weights)
        scored = _scored(rows, wanted, agree, cells.of_row[rows], weights)
        best = _best(snapshot, (elsewhere, copies, scored), pool, weights)
        if count >= min(available, MOST_LOOKED_AT):
            return best
        agreed = agreed or agree.logit[cells.among(looked_at)].max()
        unseen = weights.of_likeness(cosines[-1:], np.ones(1, np.float32)) + agreed
        if len(best) >= pool and best.scores[-1] >= weights.score(unseen)[0]:
            return best  # no row further away can be better
        count *= 4


def reached(
    snapshot: Snapshot,
    wishes: Sequence[Wish],
    allowed: BoolArray,
    weights: Weights,
    aside: Sequence[Aside] = (),
) -> list[IntArray]:
    """For each of ``wishes``, which differ in kind, colour and audience alone, the ``allowed`` rows that its answer
    would hold if it had no end but its least score, variants and all; among the ``MOST_LOOKED_AT`` most alike."""
    columns = snapshot.columns
    rows, cosines = snapshot.index.nearest(wishes[0].embedding, MOST_LOOKED_AT, allowed)
    wanted, cell = cosines - losses(snapshot, rows, cosines, aside), columns.cells.of_row[rows]
    scored = (_scored(rows, wanted, agreements(wish, columns, weights), cell, weights) for wish in wishes)
    return [rows[(each.scores >= weights.least) | (cosines >= SAME_PICTURE)] for each in scored]


def _others(hopeful: BoolArray, allowed: BoolArray | None) -> BoolArray:
    return ~hopeful if allowed is None else ~hopeful & allowed


def _copies(rows: IntArray, cosines: FloatArray, weights: Weights) -> Ranked:
    """Which are copies of the photo, with the scores that they would have if they agreed in everything."""
    rows, cosines = rows[cosines >= SAME_PICTURE], cosines[cosines >= SAME_PICTURE]
    logits = weights.of_all_that_agrees + weights.of_likeness(cosines, np.ones_like(cosines))
    return Ranked(rows, weights.score(logits), weights.score(logits - weights.color))


def _scored(rows: IntArray, cosines: FloatArray, agree: Agreements, cell: CellArray, weights: Weights) -> Ranked:
    logits = agree.logit[cell] + weights.of_likeness(cosines, agree.place[cell])
    return Ranked(rows, weights.score(logits), weights.score(logits - agree.color[cell]))


def _best(snapshot: Snapshot, found: Sequence[Ranked], pool: int, weights: Weights) -> Ranked:
    """Rows (4, 7, 2) with the scores (0.6, 0.9, 0.8), of which 4 and 7 are one product, come as (7, 2, 4); their
    groups (0, 1, 0) stand there first at (0, 1), which keeps (7, 2)."""
    rows = np.concatenate([each.rows for each in found])
    scores = np.concatenate([each.scores for each in found])
    fits = np.concatenate([each.fits for each in found])
    order = np.lexsort((rows, -scores))
    order = order[scores[order] >= weights.least]
    _, first = np.unique(snapshot.columns.group[rows[order]], return_index=True)
    kept = order[np.sort(first)[:pool]]
    return Ranked(rows[kept], scores[kept], fits[kept])

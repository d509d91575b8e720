"""One answer to a whole look: the answers to its garments, the most prominent before the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mapsi.arrays import IntArray
from mapsi.infer.look import Garment, Look
from mapsi.infer.reading import Reading
from mapsi.search.ranking import POOL, Ranked
from mapsi.search.wish import wish_of
from mapsi.taxonomy import Taxonomy

_ASIDE = 0.3
"""What is left of the prominence of a garment that the photo, read as a whole, is not of."""
_CARRIED = 0.1
"""What is left of that of shoes, bags and accessories: a look is its clothes first."""
_CLOTHES = frozenset({"", "upper", "outer", "lower", "one-piece"})


def prominence(look: Look, taxonomy: Taxonomy) -> list[float]:
    """How far each garment is what the photo is of: by the square of the share of the photo that it fills, less where
    the photo as a whole is read as something worn elsewhere. A photo of trousers is answered with trousers, though a
    part of a shirt is in it too. Chosen on the judged photos (docs/decisions/0014)."""
    return [
        (_filled(garment) * garment.confidence) ** 2
        * (_ASIDE + _agreement(look, garment, taxonomy))
        * (1.0 if garment.group in _CLOTHES else _CARRIED)
        for garment in look.garments
    ]


def in_the_place_of(look: Look, kind: str, taxonomy: Taxonomy) -> Reading:
    """What is worn where a kind is worn, of several the most; the whole photo where nothing is, or no kind is named."""
    if not kind or len(look.garments) < 2:
        return look.whole
    readings = [garment.reading for garment in look.garments]
    shares = [wish_of(reading, taxonomy).of_kind(kind)[2] for reading in readings]
    return readings[int(np.argmax(shares))] if max(shares) >= 0.5 else look.whole


def _filled(garment: Garment) -> float:
    return garment.box[2] * garment.box[3] if garment.mask is None else float(garment.mask.mean())


def _agreement(look: Look, garment: Garment, taxonomy: Taxonomy) -> float:
    whole, part = wish_of(look.whole, taxonomy), wish_of(garment.reading, taxonomy)
    return sum(share * whole.of_kind(slug)[2] for slug, share in part.kinds.items())


def interleaved(answers: Sequence[Ranked], weights: Sequence[float], groups: IntArray, pool: int = POOL) -> Ranked:
    """One order of several answers, each product once: in turn, as often as the weights say and the scores allow.

    The next place goes to the answer with the most weight x score / places it has (D'Hondt's rule for seats). Of
    weights 0.6 and 0.3 and scores all alike the places go 1, 1 or 2, 1, 1, 2 and so on: two of the first to one of the
    second.
    """
    at, given, seen = [0] * len(answers), [0] * len(answers), set[int]()
    rows, scores = list[int](), list[float]()
    while len(rows) < pool:
        for number, answer in enumerate(answers):
            while at[number] < len(answer) and int(groups[answer.rows[at[number]]]) in seen:
                at[number] += 1
        left = [number for number, answer in enumerate(answers) if at[number] < len(answer)]
        if not left:
            break
        best = max(left, key=lambda n: weights[n] * float(answers[n].scores[at[n]]) / (given[n] + 1))
        row = int(answers[best].rows[at[best]])
        rows.append(row)
        scores.append(float(answers[best].scores[at[best]]))
        seen.add(int(groups[row]))
        given[best] += 1
    return Ranked(np.array(rows, np.int64), np.array(scores, np.float32))

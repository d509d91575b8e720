"""One answer to a whole look: the answers to its garments, the most prominent before the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from mapsi.arrays import IntArray
from mapsi.infer import Model
from mapsi.infer.look import WHOLE, Garment, Look, Region
from mapsi.infer.reading import Guess, Reading
from mapsi.search.ranking import POOL, Ranked
from mapsi.search.wish import Wish, wish_of
from mapsi.taxonomy import Axis, Taxonomy
from mapsi.taxonomy.categories import AUDIENCE_AXIS, KIND_AXIS

# Chosen on the judged photos, half of them at a time (docs/decisions/0014).
_ELSEWHERE = 0.1
"""What is left of a kind's share where the map is sure that the garment is worn elsewhere: a skirt where a dress is."""
_ASIDE = 1.0
"""The prominence of a garment that the photo, read as a whole, is not of; that of one that it is of is 1 more."""
_CARRIED = 0.03
"""What is left of that of shoes, bags and accessories: a look is its clothes first."""
_FILLED, _SURE, _ALIKE = 3, 2, 12
"""Powers that the share filled, the map's confidence and the fit of the next product have in what comes next."""
_CLOTHES = frozenset({"", "upper", "outer", "lower", "one-piece"})
_OF_WHOLE = 0.6
"""What the whole photo's share of a kind counts beside a garment's own, if that kind is worn where the garment is."""
_SEEN, _SEEN_SHARE = 0.47, 0.01
"""From which confidence and share of the photo on something is worn in its place for sure."""
_TOPS = frozenset({"upper", "outer"})  # a shirt and the jacket over it are in one place
_ADDED = frozenset({"bag", "accessory"})  # these make no outfit of a photo


def read_look(model: Model, photo: Image.Image, taxonomy: Taxonomy) -> Look:
    """The :func:`placed` look that a model sees in an RGB picture. A garment that does not answer by itself is not read
    by itself: of photos of one garment that saves half of what the network does."""
    axis = taxonomy.axes.get(KIND_AXIS)
    tells_kinds = axis is not None and any(labels.axis == axis.slug for labels in model.axes)
    return placed(model.garments(photo, worth_reading if tells_kinds else None), taxonomy)


def worth_reading(regions: Sequence[Region]) -> list[bool]:
    """Which garments of a photo answer by themselves: none where it shows one, which the photo as a whole is read as;
    what is carried where there is no outfit (:func:`placed`); all of an outfit."""
    if len(regions) < 2:
        return [False for _ in regions]
    is_outfit = len(_places(regions)) >= 2
    return [is_outfit or (region.group not in _CLOTHES and _is_seen(region)) for region in regions]


def placed(look: Look, taxonomy: Taxonomy) -> Look:
    """A look of several garments, the most prominent first, each read as what is worn where the map says that it is
    worn, as far as the map is sure: what is cut out of a coat-dress looks like a skirt, and a bag before trousers like
    trousers.

    Where fewer than two places of an outfit are seen for sure, the photo is of one garment, which it shows as a whole,
    and what the map made of it are scraps: sandals on a tray are no three accessories. What is carried stays.

    For whom a garment is, the whole photo tells: one person wears all of them, and a skirt cut out of a photo is a
    child's as soon as a woman's.
    """
    axis = taxonomy.axes.get(KIND_AXIS)
    if axis is None or axis.slug not in look.whole.axes or len(look.garments) < 2:
        return look
    garments = [replace(garment, reading=_placed(garment, look.whole, axis)) for garment in look.garments]
    if len(_places(garments)) < 2:
        one = _whole_as_one(look.whole, axis)
        carried = (garment for garment in garments if garment.group not in _CLOTHES | {one.group})
        garments = [one, *(garment for garment in carried if _is_seen(garment))]
    weights = prominence(replace(look, garments=tuple(garments)), taxonomy)
    order = sorted(range(len(garments)), key=lambda number: -weights[number])
    return replace(look, garments=tuple(garments[number] for number in order))


def _places(garments: Sequence[Garment | Region]) -> set[str]:
    """The places of an outfit in which something is seen for sure."""
    groups = {garment.group for garment in garments if _is_seen(garment)} - _ADDED
    return {"top" if group in _TOPS else group for group in groups}


def _is_seen(garment: Garment | Region) -> bool:
    return garment.confidence >= _SEEN and _filled(garment) >= _SEEN_SHARE


def _whole_as_one(whole: Reading, axis: Axis) -> Garment:
    best = whole.axes[axis.slug].best
    group = axis.by_slug[best.slug].group if best.slug in axis.by_slug else ""
    return Garment(group, best.confidence, WHOLE, None, whole)


def _placed(garment: Garment, whole: Reading, axis: Axis) -> Reading:
    """Of a map that is sure by 0.5, {"skirt": 0.6, "dress": 0.4} as a one-piece is {"dress": 0.68, "skirt": 0.32}; in a
    photo that is as a whole a {"dress": 0.9, "shirt": 0.1} it is {"dress": 0.79, "skirt": 0.21}. The model knows what
    it knew only where its first guess stays; where it looked is told of that guess."""
    told = garment.reading.axes.get(axis.slug)
    if told is None:
        return garment.reading
    elsewhere = _ELSEWHERE**garment.confidence
    worn_here = {guess.slug for guess in told.top if _is_worn_at(axis, guess.slug, garment.group)}
    cut_out = _shared(
        {guess.slug: guess.confidence * (1 if guess.slug in worn_here else elsewhere) for guess in told.top}
    )
    of_whole = {guess.slug: guess.confidence for guess in whole.axes[axis.slug].top if guess.slug in worn_here}
    shares = _shared({slug: share + _OF_WHOLE * of_whole.get(slug, 0.0) for slug, share in cut_out.items()})
    top = tuple(sorted((Guess(*each) for each in shares.items()), key=lambda guess: -guess.confidence))
    known = told.known and top[0].slug == told.best.slug
    axes = {**garment.reading.axes, axis.slug: replace(told, top=top, known=known)}
    if AUDIENCE_AXIS in whole.axes:
        axes[AUDIENCE_AXIS] = whole.axes[AUDIENCE_AXIS]
    return replace(garment.reading, axes=axes)


def _shared(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights as shares of one."""
    total = sum(weights.values())
    return {slug: weight / total for slug, weight in weights.items()}


def _is_worn_at(axis: Axis, slug: str, group: str) -> bool:
    return slug in axis.by_slug and axis.by_slug[slug].group == group


def prominence(look: Look, taxonomy: Taxonomy) -> list[float]:
    """How far each garment is what the photo is of: by the share of the photo that it fills and how sure the map is of
    it, less where the photo as a whole is read as something worn elsewhere. A photo of trousers is answered with
    trousers, though a part of a shirt is in it too."""
    whole = wish_of(look.whole, taxonomy)
    return [
        _filled(garment) ** _FILLED
        * garment.confidence**_SURE
        * (_ASIDE + _agreement(whole, wish_of(garment.reading, taxonomy)))
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


def _filled(garment: Garment | Region) -> float:
    return garment.box[2] * garment.box[3] if garment.mask is None else float(garment.mask.mean())


def _agreement(whole: Wish, part: Wish) -> float:
    return sum(share * whole.of_kind(slug)[2] for slug, share in part.kinds.items())


def interleaved(answers: Sequence[Ranked], weights: Sequence[float], groups: IntArray, pool: int = POOL) -> Ranked:
    """One order of several answers, each product once: in turn, as often as the weights say and the scores allow.

    The next place goes to the answer with the most weight x fit / places it has (D'Hondt's rule for seats), the fit
    raised so that a garment that nothing fits takes few places. Of weights 0.6 and 0.3 and fits all alike the places
    go 1, 1 or 2, 1, 1, 2 and so on: two of the first to one of the second. Colour has no part in it: a garment is not
    what the photo is of because its colour is told best.
    """
    at, given, seen = [0] * len(answers), [0] * len(answers), set[int]()
    rows, scores, fits = list[int](), list[float](), list[float]()
    while len(rows) < pool:
        for number, answer in enumerate(answers):
            while at[number] < len(answer) and int(groups[answer.rows[at[number]]]) in seen:
                at[number] += 1
        left = [number for number, answer in enumerate(answers) if at[number] < len(answer)]
        if not left:
            break
        best = max(left, key=lambda n: weights[n] * float(answers[n].fits[at[n]]) ** _ALIKE / (given[n] + 1))
        row = int(answers[best].rows[at[best]])
        rows.append(row)
        scores.append(float(answers[best].scores[at[best]]))
        fits.append(float(answers[best].fits[at[best]]))
        seen.add(int(groups[row]))
        given[best] += 1
    return Ranked(np.array(rows, np.int64), np.array(scores, np.float32), np.array(fits, np.float32))

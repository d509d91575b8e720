"""What a photo asks for, by the probabilities of its reading: a likeness, kinds, colours, for whom.

The probabilities themselves count, never a first guess alone: a photo that is a skirt by 0.5 and shorts by 0.4 is
answered with both, the skirts a little before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from mapsi.arrays import FloatArray
from mapsi.catalog.text.photo_words import PhotoWords
from mapsi.infer.reading import AxisReading, Reading
from mapsi.search.snapshot import Snapshot
from mapsi.taxonomy import Axis, Taxonomy
from mapsi.taxonomy.categories import AUDIENCE_AXIS, COLOR_AXIS, KIND_AXIS, OTHER
from mapsi.taxonomy.names import color_names


@dataclass(frozen=True)
class Wish:
    """A unit vector of the index's width, and shares of one by slug: of kinds on ``axis``, of colour families and of
    audiences; where there are none, nothing is asked. ``axis`` is ``None`` where the taxonomy knows no kinds."""

    embedding: FloatArray
    axis: Axis | None = None
    kinds: Mapping[str, float] = field(default_factory=dict)
    colors: Mapping[str, float] = field(default_factory=dict)
    audiences: Mapping[str, float] = field(default_factory=dict)

    def of_kind(self, slug: str) -> tuple[float, float, float]:
        """How far products of a kind are what is asked for: as this very kind (one that is unspecific about it among
        them), as one of its family (heels and sneakers are shoes), as one worn in the same place; each 0..1.

        Asked for ``{"heels": 0.6, "shoes": 0.1, "bag": 0.3}``: heels (0.7, 0.7, 0.7), sneakers (0.1, 0.7, 0.7), shoes
        (0.7, 0.7, 0.7), a clutch (0.3, 0.3, 0.3), a shirt (0, 0, 0). What fits no kind agrees in no way; what nothing
        is known of agrees half as well as the best.
        """
        if slug == OTHER or not self.kinds:
            return (0.0, 0.0, 0.0)
        if self.axis is None or slug not in self.axis.by_slug:
            exact, family, place = (max(values) / 2 for values in zip(*self._by_kind.values(), strict=True))
            return (exact, family, place)
        return self._by_kind[slug]

    @cached_property
    def _by_kind(self) -> Mapping[str, tuple[float, float, float]]:
        if self.axis is None:
            return {slug: (share, share, share) for slug, share in self.kinds.items()}
        asked = np.array([self.kinds.get(cls.slug, 0.0) for cls in self.axis.classes])
        exact, family, place = np.minimum(self.axis.kinship @ asked, 1).tolist()
        slugs = (cls.slug for cls in self.axis.classes)
        return dict(zip(slugs, zip(exact, family, place, strict=True), strict=True))

    def of_color(self, slug: str) -> float:
        """How far a colour family is what is asked for, 0..1; of an unknown one what a guess would be right by."""
        return self.colors.get(slug, 0.0) if slug else _by_chance(self.colors)

    def of_audience(self, slug: str) -> float:
        """How far products for women, men or kids are; unisex ones are for women and men."""
        if slug == "unisex":
            return min(1.0, self.audiences.get("women", 0.0) + self.audiences.get("men", 0.0))
        return self.audiences.get(slug, 0.0) if slug else _by_chance(self.audiences)


def _by_chance(shares: Mapping[str, float]) -> float:
    return sum(share * share for share in shares.values())


def wish_of(reading: Reading, taxonomy: Taxonomy) -> Wish:
    """What a reading asks for, as far as its model tells kinds, colours and audiences."""
    return Wish(
        embedding=reading.embedding,
        axis=taxonomy.axes.get(KIND_AXIS),
        kinds=_shares(reading.axes.get(KIND_AXIS)),
        colors=_shares(reading.axes.get(COLOR_AXIS)),
        audiences=_shares(reading.axes.get(AUDIENCE_AXIS)),
    )


def _shares(answer: AxisReading | None) -> dict[str, float]:
    return {} if answer is None else {guess.slug: guess.confidence for guess in answer.top}


def wish_of_row(snapshot: Snapshot, row: int, taxonomy: Taxonomy) -> Wish:
    """What asks for products like one of the index: its picture, and the kind, colour and audience it is known by."""
    columns = snapshot.columns
    kind, color, audience = (
        column.values[column.codes[row]] for column in (columns.kind, columns.color, columns.audience)
    )
    return Wish(
        embedding=snapshot.index.vector(row),
        axis=taxonomy.axes.get(KIND_AXIS),
        kinds={kind: 1.0} if kind not in ("", OTHER) else {},
        colors={color: 1.0} if color else {},
        audiences=_audiences(audience),
    )


def shifted(wish: Wish, said: PhotoWords) -> Wish:
    """The same likeness, but of the kind, the colour and the audience that were said with the photo."""
    return replace(
        wish,
        kinds={said.kind: 1.0} if said.kind else wish.kinds,
        colors={said.color: 1.0} if said.color else wish.colors,
        audiences=_audiences(said.audience or "") or wish.audiences,
    )


def open_to_all(wish: Wish) -> tuple[Wish, Wish, Wish]:
    """The same wish thrice: with every kind, every colour, every audience as what is asked for. Whatever it then
    reaches it would reach, too, if the shopper chose that kind, colour or audience alone."""
    kinds = () if wish.axis is None else wish.axis.by_slug
    return (
        replace(wish, kinds=dict.fromkeys(kinds, 1.0)),
        replace(wish, colors=dict.fromkeys(color_names(), 1.0)),
        replace(wish, audiences=dict.fromkeys(("women", "men", "kids"), 1.0)),
    )


def _audiences(slug: str) -> dict[str, float]:
    """Shares of an audience that is known; what is unisex is for women and men."""
    return {"women": 0.5, "men": 0.5} if slug == "unisex" else {slug: 1.0} if slug else {}

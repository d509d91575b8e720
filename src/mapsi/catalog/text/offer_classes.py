"""The classes of an offer: what its shop's words say on every axis, and what a look at its picture may add."""

from __future__ import annotations

from collections.abc import Mapping

from mapsi.catalog.records import Label
from mapsi.catalog.text.class_from_words import WordClassifier
from mapsi.catalog.text.kinds import KindReader
from mapsi.taxonomy import Taxonomy
from mapsi.taxonomy.categories import KIND_AXIS, load_categories


class OfferClassifier:
    """Made once for an import or a build of the index; a taxonomy of your own may have no axis of kinds."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        kinds = taxonomy.axes.get(KIND_AXIS)
        self._listed = taxonomy.listed
        self._words = WordClassifier(taxonomy)
        self._kinds = None if kinds is None else KindReader(kinds, load_categories())

    def by_words(self, title: str, category: str, google: str) -> dict[str, str]:
        """Axis to class slug, or to ``other`` on the axis of kinds where the product is none of these."""
        found = self._words.classes(title, category)
        if self._kinds is None:
            return found
        found.pop(KIND_AXIS, None)
        kind = self._kinds.kind(title, category, google)
        if not self._kinds.is_worn(kind):
            return {KIND_AXIS: kind}
        return found | ({KIND_AXIS: kind} if kind else {})

    def kind(self, title: str, category: str, google: str) -> str:
        """See :meth:`KindReader.kind`; empty where the taxonomy has no kinds."""
        return "" if self._kinds is None else self._kinds.kind(title, category, google)

    def by_picture(
        self, by_words: Mapping[str, str], told: Mapping[str, Label], category: str, google: str
    ) -> dict[str, tuple[str, float]]:
        """Axis to class slug and confidence: what a model knows where words said nothing, and on the axis of kinds what
        is a kind of what they said. It never contradicts them."""
        known = {axis: label for axis, label in told.items() if label["known"] and self._has(axis, label["slug"])}
        kind = known.pop(KIND_AXIS, None)
        found = {axis: (label["slug"], label["confidence"]) for axis, label in known.items() if axis not in by_words}
        if self._kinds is None:
            return found
        said = by_words.get(KIND_AXIS, "")
        if kind is not None and kind["slug"] != said:
            allowed = self._kinds.may_refine(said, category, google)
            if not allowed or kind["slug"] in allowed:
                said = kind["slug"]
                found[KIND_AXIS] = (said, kind["confidence"])
        return found if self._kinds.is_worn(said) else {axis: found[axis] for axis in found.keys() & {KIND_AXIS}}

    def _has(self, axis: str, slug: str) -> bool:
        return axis in self._listed and slug in self._listed[axis].by_slug

"""Words said with a photo ("this, but black", 원피스로, 린넨): what they ask for in place of what is on the
photo."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from mapsi.catalog.filters import Filters
from mapsi.catalog.offer import Audience
from mapsi.catalog.records import Traits
from mapsi.catalog.text.colors import ColorReader
from mapsi.catalog.text.kinds import KindReader
from mapsi.catalog.text.tokens import is_cjk, words
from mapsi.taxonomy import Taxonomy
from mapsi.taxonomy.categories import KIND_AXIS, OTHER, load_categories
from mapsi.taxonomy.synonyms import load_colors, load_synonyms

SAYS_NOTHING = frozenset(
    [
        "a",
        "an",
        "and",
        "as",
        "but",
        "colour",
        "color",
        "for",
        "i",
        "in",
        "is",
        "it",
        "like",
        "of",
        "one",
        "please",
        "same",
        "similar",
        "something",
        "that",
        "the",
        "this",
        "to",
        "with",
        "want",
        "거",
        "것",
        "걸",
        "걸로",
        "같은",
        "그",
        "그냥",
        "느낌",
        "다른",
        "비슷한",
        "색",
        "색깔",
        "색상",
        "스타일",
        "용",
        "이",
        "이거",
        "이것",
        "이런",
        "인데",
        "저",
        "좀",
        "찾아줘",
    ]
)
_PARTICLES = ("으로", "로", "은", "는", "을", "를", "의", "만", "인", "색")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoWords(Traits):
    """What words beside a photo ask for, and the ``rest``: words to be found in a product's text."""

    rest: str = ""

    def narrow(self, filters: Filters) -> Filters:
        """``filters``, and what the words ask for; where both name a kind, a colour or an audience, the filter
        counts."""
        classes = dict(filters.classes)
        if self.kind:
            classes.setdefault(KIND_AXIS, (self.kind,))
        return replace(
            filters,
            classes=classes,
            colors=filters.colors or ((self.color,) if self.color else ()),
            audiences=filters.audiences or ((self.audience,) if self.audience else ()),
        )

    def or_chosen(self, filters: Filters) -> PhotoWords:
        """The same with the kind, the colour and the audience that filters name, where they name one alone: who puts
        a word of a reading right, or narrows its answer down to black, asks for that no less than who says so."""
        kinds, colors, audiences = filters.classes.get(KIND_AXIS, ()), filters.colors, filters.audiences
        return replace(
            self,
            kind=kinds[0] if len(kinds) == 1 else self.kind,
            color=colors[0] if len(colors) == 1 else self.color,
            audience=audiences[0] if len(audiences) == 1 else self.audience,
        )


class PhotoWordReader:
    """Reads them by one taxonomy. Safe to share between threads."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        axis = taxonomy.axes.get(KIND_AXIS)
        self._kinds = None if axis is None else KindReader(axis, load_categories())
        self._colors = ColorReader(load_colors())
        self._audiences: dict[str, Audience] = {
            form: cast(Audience, meaning.audience)
            for meaning in load_synonyms()
            if meaning.audience
            for form in meaning.forms
        }

    def read(self, text: str) -> PhotoWords:
        """What a text asks for; the last kind, colour and audience of several count."""
        said = [self._plain(word) for word in words(text)]
        kind = self._kind(" ".join(said))
        colors = [color for word in said for color in self._colors.find(word)]
        audiences = [self._audiences[word] for word in said if word in self._audiences]
        return PhotoWords(
            kind=kind,
            color=(self._colors.find(" ".join(said)) or colors or [""])[-1],
            audience=audiences[-1] if audiences else None,
            rest=" ".join(word for word in said if not self._is_understood(word)),
        )

    def kinds_named(self, name: str) -> frozenset[str]:
        """All kinds of garment that a name stands for, as a category does (wide pants: pants and all kinds of them);
        empty where it is the name of none."""
        return frozenset() if self._kinds is None else self._kinds.admitted(name) - {OTHER}

    def _kind(self, text: str) -> str:
        kind = "" if self._kinds is None else self._kinds.kind(text, "")
        return "" if kind == OTHER else kind

    def _is_understood(self, word: str) -> bool:
        known = word in SAYS_NOTHING or word in self._audiences
        return known or bool(self._kind(word) or self._colors.find(word))

    def _plain(self, word: str) -> str:
        """A Korean word without its particle, where what is left is understood: 원피스로, 검은색으로."""
        if is_cjk(word) and not self._is_understood(word):
            for particle in _PARTICLES:
                bare = word.removesuffix(particle)
                if bare != word and bare and self._is_understood(bare):
                    return bare
        return word

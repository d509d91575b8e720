"""A product's kind out of its shop's categories and title: the category says what it can be, the title which of
these."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from mapsi.catalog.text.class_from_words import AxisWords, Find
from mapsi.catalog.text.tokens import is_cjk, words
from mapsi.taxonomy import Axis
from mapsi.taxonomy.categories import OTHER, Categories

_STEPS = re.compile(r"\s*[>›»|]\s*")
_PARTS = re.compile(r"[/&,+·・]|\band\b|\b및\b")
_QUALIFIES = frozenset({"with", "for", "from", "in", "by", "without"})
"""Words after which an English title speaks of something else than the thing itself."""


class KindReader:
    """Reads categories and titles by one axis of kinds; made once for an import. Safe to share between threads."""

    def __init__(self, axis: Axis, categories: Categories) -> None:
        self._axis = axis
        self._categories = categories
        self._words = AxisWords(axis)
        self._names = {" ".join(words(name)): told for name, told in categories.names.items()}
        self._clothes = categories.kinds(axis, ("@clothes",))
        self.admitted = lru_cache(maxsize=10_000)(self._admitted)

    def kind(self, title: str, category: str, google: str = "") -> str:
        """The slug of what is sold, ``other`` where it is none of the kinds, empty where nothing is said.

        The category is believed: a title chooses among what it admits (``Women > Tops``, "Silk blouse": a blouse) and
        cannot contradict it. ``google`` is Google's category, a number or an English path.
        """
        admitted, named = self.admitted(category, google), self._in_title(title)
        return named if not admitted or named in admitted else self.root(admitted)

    def root(self, admitted: frozenset[str]) -> str:
        """The nearest kind that all of ``admitted`` are kinds of (of coats and jackets: outerwear); empty for none."""
        if not admitted or admitted == {OTHER}:
            return OTHER if admitted else ""
        lineages = [self._lineage(slug) for slug in admitted - {OTHER}]
        return next((slug for slug in lineages[0] if all(slug in lineage for lineage in lineages)), "")

    def may_refine(self, kind: str, category: str, google: str) -> frozenset[str]:
        """What a look at the picture may still say of a product of that ``kind`` (:meth:`kind`): a kind of it, or where
        words say nothing, what the category admits; empty for all there are."""
        if kind == OTHER:
            return frozenset({OTHER})
        admitted = self.admitted(category, google)
        below = frozenset(self._axis.kinds(kind)) if kind else admitted
        return (below & admitted) or below

    def is_worn(self, kind: str) -> bool:
        """Whether a kind is of clothes: a style is asked of these alone, not of a watch. Nothing said may be
        clothes."""
        return not kind or kind in self._clothes

    def _admitted(self, category: str, google: str = "") -> frozenset[str]:
        """The kinds that a shop's own category and Google's leave open; empty where they say nothing. The shop's own
        counts where the two contradict each other, unless it is but no kind at all."""
        own, other = self._of_path(category), self._of_google(google)
        if not own or not other:
            return own or other
        return (own & other) or (other if own == {OTHER} else own)

    def _of_google(self, category: str) -> frozenset[str]:
        path = " > ".join(_STEPS.split(category.strip())).casefold()
        if not path:
            return frozenset()
        if path.partition(" > ")[0] in self._categories.departments:
            return frozenset({OTHER})
        while path and path not in self._categories.google:
            path = path.rpartition(" > ")[0]
        if path:
            return self._categories.kinds(self._axis, self._categories.google[path])
        return frozenset() if category.strip().isdigit() else self._of_path(category)

    def _of_path(self, category: str) -> frozenset[str]:
        if category.strip().casefold() in self._categories.google:
            return self._of_google(category)
        said = (self._of_name(name) for name in reversed(_STEPS.split(category)))
        return next((kinds for kinds in said if kinds), frozenset())

    def _of_name(self, name: str) -> frozenset[str]:
        """What one name of a path says: all of it, or its parts (``Coats & Jackets``) together."""
        whole = self._names.get(" ".join(words(name)))
        if whole is not None:
            return self._categories.kinds(self._axis, whole)
        kinds = frozenset[str]()
        for part in _PARTS.split(name.casefold()):
            spaced = " ".join(words(part))
            told = self._names.get(spaced) or tuple(self._heads(spaced)[-1:])
            kinds |= self._categories.kinds(self._axis, told)
        return kinds

    def _in_title(self, title: str) -> str:
        """What a title calls the thing: its last noun, in Korean as in English (``shirt dress``, 니트 조끼). A title
        that names three things and more, of which none is a kind of another, is a list of search words and says
        nothing."""
        heads = self._heads(" ".join(words(title)))
        named = dict.fromkeys(heads)
        distinct = [slug for slug in named if not any(slug in self._lineage(other)[1:] for other in named)]
        return heads[-1] if heads and len(distinct) <= 2 else ""

    def _lineage(self, slug: str) -> tuple[str, ...]:
        return self._axis.lineage(slug) if slug in self._axis.by_slug else (slug,)

    def _heads(self, spaced: str) -> list[str]:
        """Slugs of what a text names, in its order, up to a word that begins to qualify; of a name of several classes
        none. ``other`` where it is a part of the thing (``watch strap``)."""
        until = next((at for at, word in _placed(spaced) if word in _QUALIFIES and at), len(spaced))
        heads: list[str] = []
        for find in self._words.find(f"{spaced} "):
            slugs = self._words.classes([find])
            if find.start >= until or len(slugs) != 1 or not _ends_a_word(spaced, find):
                continue
            after = spaced[find.end :].split(maxsplit=1)
            heads.append(OTHER if after and after[0] in self._categories.parts else next(iter(slugs)))
        return heads


def _placed(spaced: str) -> Iterator[tuple[int, str]]:
    return ((match.start(), match[0]) for match in re.finditer(r"[^ ]+", spaced))


def _ends_a_word(spaced: str, find: Find) -> bool:
    """Whether a find is the end of a word, as a Korean compound's noun is (가죽자켓, not 브라운); one of a single
    syllable has to be the whole word (백, not 스냅백)."""
    text = spaced[find.start : find.end]
    if not is_cjk(text[-1]):
        return True
    ends = find.end == len(spaced) or spaced[find.end] == " "
    return ends and (len(text) > 1 or find.start == 0 or spaced[find.start - 1] == " ")

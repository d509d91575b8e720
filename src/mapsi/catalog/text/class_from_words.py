"""A class per axis out of a shop's own words, where title and category leave no doubt."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from mapsi.catalog.text.tokens import is_cjk, words
from mapsi.taxonomy import Axis, Class, Taxonomy


class WordClassifier:
    """Finds the names and search words of all classes in texts; made once for an import.

    A Korean word is found anywhere inside a word and with or without the blanks between its parts, an English one as
    whole words, singular or plural. What lies inside a longer find is no find: the ``shirt`` of ``t-shirt``, the 셔츠
    of 린넨 셔츠. Nor is what another axis's word holds as a mere part: the 셔츠 of 티셔츠 says nothing of the style,
    that of 린넨 셔츠 does say what kind of garment it is.
    """

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._axes = {slug: AxisWords(axis) for slug, axis in taxonomy.listed.items()}
        self._of_category = lru_cache(maxsize=10_000)(self._find)

    def classes(self, title: str, category: str) -> dict[str, str]:
        """Axis to class slug. What is found in the title counts, what is found in the category only where the title
        says nothing of the axis. Of a class and a kind of it (shoes, sneakers) the kind counts; an axis with two or
        more classes found has none."""
        in_title, in_category = self._find(title), self._of_category(category)
        decided = {axis: in_title[axis] or in_category[axis] for axis in self._axes}
        return {axis: next(iter(found)) for axis, found in decided.items() if len(found) == 1}

    def _find(self, text: str) -> dict[str, frozenset[str]]:
        spaced = " ".join(words(text))
        finds = {slug: axis.find(spaced) for slug, axis in self._axes.items()}
        everywhere = [find for of_axis in finds.values() for find in of_axis]
        whole = {
            slug: [f for f in of_axis if not any(f.is_part_of(g) for g in everywhere)]
            for slug, of_axis in finds.items()
        }
        return {slug: self._axes[slug].classes(of_axis) for slug, of_axis in whole.items()}


@dataclass(frozen=True, slots=True)
class Find:
    """A word found at a place of a text, and the ways it is written with blanks."""

    start: int
    end: int
    key: str
    forms: frozenset[str]

    def is_part_of(self, other: Find) -> bool:
        """Whether it lies inside a longer find and is none of the words that this is made of."""
        inside = other.start <= self.start and self.end <= other.end and len(self.key) < len(other.key)
        return inside and not any(f" {own} " in f" {form} " for form in other.forms for own in self.forms)


class AxisWords:
    def __init__(self, axis: Axis) -> None:
        self._axis = axis
        self._words, self._classes, self._forms = _dictionary(axis.classes)

    def find(self, spaced: str) -> list[Find]:
        """What is found, without what lies inside a longer find of this axis."""
        finds = _outermost((match.span(1), match[1]) for match in self._words.finditer(spaced))
        return [Find(*span, _key(find), self._forms[_key(find)]) for span, find in finds]

    def classes(self, finds: Iterable[Find]) -> frozenset[str]:
        """The classes that the finds name, without those of which a kind is named."""
        named = {slug for find in finds for slug in self._classes[find.key]}
        return frozenset(named.difference(*(self._axis.lineage(slug)[1:] for slug in named)))


@lru_cache(maxsize=64)
def _dictionary(
    classes: tuple[Class, ...],
) -> tuple[re.Pattern[str], Mapping[str, frozenset[str]], Mapping[str, frozenset[str]]]:
    """The pattern of all words of some classes, and by key their classes and the ways they are written. Kept, since
    every import, every build and every application asks for the same: 12 ms the first time."""
    classes_of = [(form, cls.slug) for cls in classes for form in _forms(cls)]
    slugs: defaultdict[str, set[str]] = defaultdict(set)
    forms: defaultdict[str, set[str]] = defaultdict(set)
    for form, slug in classes_of:
        slugs[_key(form)].add(slug)
        forms[_key(form)].add(form)
    whole, written = ({key: frozenset(told) for key, told in known.items()} for known in (slugs, forms))
    return _compile({form for form, _ in classes_of}), whole, written


def _outermost(finds: Iterable[tuple[tuple[int, int], str]]) -> Iterator[tuple[tuple[int, int], str]]:
    """Of finds by rising start, those that lie inside no other."""
    furthest = -1
    for span, find in finds:
        if span[1] > furthest:
            furthest = span[1]
            yield span, find


def _forms(cls: Class) -> Iterator[str]:
    """The words of a class as they are in normalised text, English plurals among them."""
    for word in cls.all_words:
        form = " ".join(words(word))
        if form:
            yield form
            if not is_cjk(form[-1]):
                yield from (f"{form}s", f"{form}es")


def _compile(forms: Iterable[str]) -> re.Pattern[str]:
    """A pattern that gives, at every place where a form begins, the longest one; in a lookahead, since finds overlap.

    The Latin forms come after one look at the border before them: most places of a text are then done at once."""
    longest_first = sorted(forms, key=len, reverse=True)
    latin = "|".join(_pattern(form) for form in longest_first if not is_cjk(form))
    cjk = "|".join(_pattern(form) for form in longest_first if is_cjk(form))
    branches = ([rf"(?<![^ ])(?:{latin})"] if latin else []) + ([cjk] if cjk else [])
    return re.compile(f"(?=({'|'.join(branches)}))")


def _pattern(form: str) -> str:
    pattern = re.sub(r"(?<=[^\x00-\x7f]) (?=[^\x00-\x7f])", " ?", form)  # a form holds letters, digits and blanks only
    return pattern if is_cjk(form[-1]) else rf"{pattern}(?![^ ])"


def _key(find: str) -> str:
    return find.replace(" ", "")

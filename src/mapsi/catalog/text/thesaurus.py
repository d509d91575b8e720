"""What a query's words mean: each with the words that mean the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mapsi.catalog.text.tokens import stem, words
from mapsi.taxonomy.synonyms import Group, load_colors, load_synonyms

Form = tuple[str, ...]
"""A word, or several that stand for one thing (``t shirt``)."""


@dataclass(frozen=True, slots=True)
class Term:
    """One thing asked for: the words as typed, and the other forms that mean the same."""

    own: Form
    others: tuple[Form, ...] = ()

    @property
    def text(self) -> str:
        return " ".join(self.own)


class Thesaurus:
    """Groups of forms that mean the same, looked up by any of them, English ones in any inflection."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self._group: dict[Form, tuple[Form, ...]] = {}
        for group in groups:
            forms = tuple(dict.fromkeys(tuple(words(text)) for text in group))
            for form in forms:
                self._group.setdefault(_key(form), forms)
        self._longest = max(map(len, self._group), default=1)

    def terms(self, asked: Sequence[str]) -> tuple[Term, ...]:
        """The terms of a query's words; words that are one form together (``t``, ``shirt``) are one term."""
        found, at = [], 0
        while at < len(asked):
            lengths = range(min(self._longest, len(asked) - at), 1, -1)
            count = next((n for n in lengths if _key(asked[at : at + n]) in self._group), 1)
            own = tuple(asked[at : at + count])
            same = self._group.get(_key(own), ())
            found.append(Term(own, tuple(form for form in same if _key(form) != _key(own))))
            at += count
        return tuple(found)


def shipped_thesaurus() -> Thesaurus:
    """The shipped synonyms, and the names of each colour as synonyms of one another."""
    return Thesaurus((*load_synonyms(), *(family.same for family in load_colors() if family.same)))


def _key(form: Sequence[str]) -> Form:
    return tuple(map(stem, form))

"""What words mean: a text's words put together to things that have a name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from mapsi.catalog.text.tokens import is_cjk, stem, words
from mapsi.taxonomy.synonyms import ColorFamily, Meaning, load_brands, load_colors, load_synonyms

_SHORTEST_INSIDE = 2
_SHORTEST_KIND_BEFORE = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that a text says: its ``words`` as typed (a part of a word, where a Korean compound was taken apart),
    what they mean, if that is known, and whether they end a word."""

    words: tuple[str, ...]
    meaning: Meaning | None = None
    ends: bool = True

    @property
    def text(self) -> str:
        return " ".join(self.words)


class Thesaurus:
    """Meanings, looked up by any of their forms, English ones in any inflection."""

    def __init__(self, meanings: Iterable[Meaning]) -> None:
        self.meanings = tuple(meanings)
        self._meaning: dict[tuple[str, ...], Meaning] = {}
        self.by_name: dict[str, Meaning] = {}
        for meaning in self.meanings:
            self.by_name.setdefault(meaning.name, meaning)
            for form in meaning.forms:
                self._meaning.setdefault(_key(words(form)), meaning)
        self._wider = _Wider(self.by_name)
        self._lengths: dict[str, list[int]] = {}
        for key in sorted(self._meaning, key=len, reverse=True):
            lengths = self._lengths.setdefault(key[0], [])
            if len(key) not in lengths:
                lengths.append(len(key))
        self._apart = lru_cache(maxsize=100_000)(self._take_apart)

    def read(self, said: Sequence[str]) -> tuple[Piece, ...]:
        """The things that words say, in their order. The longest form wins (``dress shirt`` is no dress), with or
        without the blank between two Korean words; a Korean compound is taken apart from its end, where its noun is."""
        pieces: list[Piece] = []
        at, roots = 0, _key(said)
        while at < len(said):
            count, meaning = self._longest_at(said, roots, at)
            if meaning is None and is_cjk(said[at]):
                pieces += self._apart(said[at])
            else:
                pieces.append(Piece(tuple(said[at : at + count]), meaning))
            at += count
        return tuple(pieces)

    def meaning_of(self, said: Sequence[str]) -> Meaning | None:
        """What these words, taken together, mean."""
        return self._meaning.get(_key(said))

    def wider(self, meaning: Meaning) -> frozenset[str]:
        """The names of all kinds that a kind is one of, its own among them."""
        return self._wider[meaning.name]

    def _longest_at(self, said: Sequence[str], roots: tuple[str, ...], at: int) -> tuple[int, Meaning | None]:
        """How many words from a place on are one form, and what that means."""
        lengths = self._lengths.get(roots[at], ())
        for count in lengths:
            if count > 1 and (meaning := self._meaning.get(roots[at : at + count])) is not None:
                return count, meaning
        if at + 1 < len(said) and is_cjk(said[at]) and is_cjk(said[at + 1]):
            joined = self._meaning.get((said[at] + said[at + 1],))
            if joined is not None:
                return 2, joined
        return 1, self._meaning.get(roots[at : at + 1])

    def _take_apart(self, word: str) -> tuple[Piece, ...]:
        """A compound by its last form, and so on forwards: 린넨원피스 is 린넨 and 원피스. What no form ends is looked
        at from the front: 블랙진 is 블랙 and 진. One syllable is a form only where it is all that is left."""
        behind: list[Piece] = []
        rest = word
        while rest:
            form = next((rest[at:] for at in range(len(rest)) if self._is_inside(rest[at:], rest)), "")
            if not form:
                break
            behind.insert(0, Piece((form,), self._meaning[(form,)], ends=not behind))
            rest = rest[: -len(form)]
        before: list[Piece] = []
        while rest:
            form = next((rest[:to] for to in range(len(rest) - 1, 1, -1) if self._is_before(rest[:to])), "")
            if not form:
                break
            before.append(Piece((form,), self._meaning[(form,)], ends=False))
            rest = rest[len(form) :]
        left = (Piece((rest,), self._meaning.get((rest,)) if before or behind else None, not behind),) if rest else ()
        return (*before, *left, *behind)

    def _is_inside(self, form: str, rest: str) -> bool:
        return (len(form) >= _SHORTEST_INSIDE or form == rest) and (form,) in self._meaning

    def _is_before(self, form: str) -> bool:
        meaning = self._meaning.get((form,))
        return meaning is not None and (not meaning.kind or len(form) >= _SHORTEST_KIND_BEFORE)


class _Wider(dict[str, frozenset[str]]):
    """Wider kinds by a kind's name, worked out when asked for."""

    def __init__(self, by_name: Mapping[str, Meaning]) -> None:
        super().__init__()
        self._by_name = by_name

    def __missing__(self, name: str) -> frozenset[str]:
        found = self[name] = frozenset((name,)).union(*(self[wider] for wider in self._by_name[name].under))
        return found


@cache
def shipped_thesaurus() -> Thesaurus:
    """The shipped synonyms, brands, and the names of each colour and of each shade as synonyms of one another."""
    return Thesaurus((*load_synonyms(), *load_brands(), *_colors(load_colors())))


def _colors(families: Iterable[ColorFamily]) -> Iterator[Meaning]:
    for family in families:
        if family.same:
            yield Meaning(name=f"color {family.slug}", forms=_with_suffix(family.same), color=family.slug)
        for shade in family.shades:
            yield Meaning(name=f"shade {shade[-1]}", forms=_with_suffix(shade), color=family.slug, shade=True)


def _with_suffix(forms: Sequence[str]) -> tuple[str, ...]:
    """Forms, the Korean ones with 색 (colour) behind them too: 카키, 카키색."""
    return tuple(dict.fromkeys((*forms, *(f"{form}색" for form in forms if is_cjk(form) and not form.endswith("색")))))


def _key(form: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(stem, form))

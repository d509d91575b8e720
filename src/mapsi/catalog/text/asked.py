"""What a query asks for: its words as units, each found by a few tokens, and which of them decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from mapsi.catalog.text.facts import AFTER_THE_NOUN, KIND, NOUN, SAID, SHOWN, TITLE, Said, fact, nouns_of
from mapsi.catalog.text.hangul import initials, is_initials
from mapsi.catalog.text.thesaurus import Piece, Thesaurus
from mapsi.catalog.text.tokens import is_cjk, stem


class Role(Enum):
    """What a unit is to a query, the one that says most first: what is left out first stands last."""

    KIND = 0
    BRAND = 1
    AUDIENCE = 2
    COLOR = 3
    OTHER = 4
    USE = 5


class Clause(NamedTuple):
    """A token of one field, and what finding it is worth. In the field ``word`` it is the beginning of a word; ``part``
    and ``initial`` are looked for inside words."""

    field: str
    text: str
    points: int

    def is_in(self, said: Said) -> bool:
        """Whether a listing has it: the slow and obvious reading, for a few variants of a product."""
        inside = [word for word in said.words if is_cjk(word)]
        match self.field:
            case "word":
                held = any(word.startswith(self.text) for word in said.words)
            case "part":
                held = any(self.text in word for word in inside)
            case "initial":
                held = any(holds_initials(word, self.text) for word in inside)
            case field:
                held = self.text in getattr(said, _WHOLE[field])
        return held


_WHOLE = {"fact": "facts", "title": "title", "about": "about", "class": "classes"}


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing asked for. A listing has it that has any of its ``clauses``, each with its points; where ``covered``,
    one that has the first of them: a T-shirt has the word shirt in its title and is said to be none."""

    piece: Piece
    role: Role
    clauses: tuple[Clause, ...]
    covered: bool = False

    def points(self, said: Said) -> int:
        """What a listing earns by it, 0 where it has it not."""
        if self.covered and not self.clauses[0].is_in(said):
            return 0
        return sum(clause.points for clause in self.clauses if clause.is_in(said))


@dataclass(frozen=True, slots=True)
class Asked:
    """A query understood: ``needed`` units, all of which are to be found, and those that only bring a product
    forward."""

    needed: tuple[Unit, ...]
    liked: tuple[Unit, ...] = ()

    @property
    def units(self) -> tuple[Unit, ...]:
        return (*self.needed, *self.liked)

    def points(self, said: Said) -> int:
        """The order of a listing in the answer, the more the better; 0 where a needed unit is missing."""
        found = [unit.points(said) for unit in self.needed]
        return sum(found) + sum(unit.points(said) for unit in self.liked) if all(found) else 0


def understand(said: Sequence[str], thesaurus: Thesaurus, is_word: Callable[[str], bool], *, exact: bool) -> Asked:
    """What words ask for. ``is_word`` tells whether any listing has the stem of a Latin word as a whole word; others
    are taken for the beginning of one. Where ``exact``, every unit is needed, those of use too."""
    pieces = thesaurus.read(said)
    head = _head(pieces)
    units: dict[object, Unit] = {}
    for piece in pieces:
        if head is None or piece.words[-1] not in AFTER_THE_NOUN:
            unit = _unit(piece, is_word, head=piece is head)
            units[piece.meaning.name if piece.meaning else piece.words] = unit
    liked = () if exact else tuple(unit for unit in units.values() if unit.role is Role.USE)
    needed = tuple(unit for unit in units.values() if unit not in liked)
    return Asked(needed, liked) if needed else Asked(liked)


def _head(pieces: Sequence[Piece]) -> Piece | None:
    """The noun that decides; a kind that is a use as well (정장, formal and a suit) only where there is no other."""
    nouns = nouns_of(pieces)
    plain = [piece for piece in nouns if piece.meaning is not None and not piece.meaning.use]
    return (plain or nouns)[-1] if nouns else None


def _unit(piece: Piece, is_word: Callable[[str], bool], *, head: bool) -> Unit:
    meaning = piece.meaning
    if meaning is None:
        return Unit(piece, Role.OTHER, _plain_clauses(piece.words[0], is_word))
    said = Clause("fact", fact(SAID, meaning.name), 1)
    own = tuple(Clause("title", stem(word), 1) for word in piece.words)
    if head:
        kind, noun = Clause("fact", fact(KIND, meaning.name), 6), Clause("fact", fact(NOUN, meaning.name), 1)
        return Unit(piece, Role.KIND, (said, kind, noun, *own), covered=True)
    titled = Clause("fact", fact(TITLE, meaning.name), 2)
    if meaning.color or meaning.audience:
        shown = f"color {meaning.color}" if meaning.color else f"audience {meaning.audience}"
        role = Role.COLOR if meaning.color else Role.AUDIENCE
        return Unit(piece, role, (said, Clause("fact", fact(SHOWN, shown), 4), titled), covered=True)
    role = Role.BRAND if meaning.brand else Role.USE if meaning.use else Role.OTHER
    return Unit(piece, role, (said, titled, *own), covered=True)


def _plain_clauses(word: str, is_word: Callable[[str], bool]) -> tuple[Clause, ...]:
    if is_initials(word):
        return (Clause("initial", word, 1),)
    whole = (Clause("title", stem(word), 4), Clause("about", stem(word), 3), Clause("class", stem(word), 1))
    if is_cjk(word):
        return (*whole, Clause("part", word, 1))
    if len(word) > 1 and not is_word(word):
        return (*whole, Clause("word", word, 2))
    return whole


def holds_initials(word: str, consonants: str) -> bool:
    """Whether a word's syllables begin with these consonants: from the first on, or, for three and more, anywhere."""
    heard = initials(word)
    return consonants in heard if len(consonants) > 2 else heard.startswith(consonants)

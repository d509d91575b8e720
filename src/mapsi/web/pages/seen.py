"""What a photo shows, in the reader's words: one line to read and correct, and how sure of it the model is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import cast

from mapsi.catalog.filters import Filters
from mapsi.catalog.offer import Audience
from mapsi.catalog.text.photo_words import PhotoWordReader
from mapsi.imaging import Box
from mapsi.infer.look import WHOLE, Garment, Look
from mapsi.infer.reading import AxisReading, Guess, Reading
from mapsi.taxonomy import Taxonomy
from mapsi.taxonomy.categories import AUDIENCE_AXIS, COLOR_AXIS, KIND_AXIS
from mapsi.taxonomy.names import axis_name, class_name
from mapsi.web.request.languages import spoken
from mapsi.web.request.languages import translate as _
from mapsi.web.request.parameters import write_box

GUESSES = 3
OFFERED = 8
"""Classes that a wrong word can be corrected to at a glance. All others are a press further."""
UNLIKELY = 0.01
"""Below it, one guess is as good as another."""
EVEN = 0.5
"""A guess below it is wrong more often than right."""
LIKELY = 0.9
"""From it on, an answer is likely also where the model is sure of nothing: nobody calls 97 % a mere guess."""

SAID_FIRST = (KIND_AXIS, AUDIENCE_AXIS, COLOR_AXIS)
"""The axes of the line that stand in it even as guesses."""


@dataclass(frozen=True, slots=True)
class GuessView:
    """A class by name, with its confidence in whole percent."""

    slug: str
    name: str
    percent: int


@dataclass(frozen=True, slots=True)
class AxisView:
    """The answer on one axis: the first guesses with their confidence, and how sure that is in words."""

    slug: str
    name: str
    known: bool
    words: str
    guesses: tuple[GuessView, ...]

    @property
    def best(self) -> GuessView:
        return self.guesses[0]


@dataclass(frozen=True, slots=True)
class SeenWord:
    """One word of the line. ``corrected`` says that the shopper chose it; ``others`` are what it can be corrected to,
    the likeliest first, ``rest`` all that the model knows besides, in the order of the taxonomy."""

    axis: str
    name: str
    text: str
    known: bool
    corrected: bool
    others: tuple[GuessView, ...]
    rest: tuple[GuessView, ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """A garment found on the photo: where it is, its address (``box`` as text), and whether the page is about it."""

    name: str
    box: Box
    address: str
    chosen: bool

    @property
    def is_whole(self) -> bool:
        """Whether it is what the photo as a whole shows: no part to frame, and a row has no need of "All" beside it."""
        return self.box == WHOLE


def view_spots(look: Look, box: Box | None, taxonomy: Taxonomy) -> list[Spot]:
    """The garments to tap; none where the whole photo is one. Each is named by where the kind is worn that it is read
    as, so that the line does not ask of a "one-piece" whether it is shorts."""
    asked = write_box(box) if box else ""
    if len(look.garments) < 2:
        return []
    told = [(garment, write_box(garment.box)) for garment in look.garments]
    return [
        Spot(spoken(_GROUPS, _place(garment, taxonomy)), garment.box, text, text == asked) for garment, text in told
    ]


def _place(garment: Garment, taxonomy: Taxonomy) -> str:
    """Where the kind that a garment is read as is worn, or where the map saw it."""
    axis, told = taxonomy.axes.get(KIND_AXIS), garment.reading.axes.get(KIND_AXIS)
    known = axis.by_slug.get(told.best.slug) if axis is not None and told is not None else None
    return known.group if known is not None and known.group in _GROUPS else garment.group


_GROUPS = {
    "upper": lambda: _("Top"),
    "outer": lambda: _("Outerwear"),
    "lower": lambda: _("Bottoms"),
    "one-piece": lambda: _("One-piece"),
    "shoes": lambda: _("Shoes"),
    "bag": lambda: _("Bag"),
    "accessory": lambda: _("Accessory"),
}
"""The places on a person that the model's map tells apart."""


def view_axes(reading: Reading, taxonomy: Taxonomy, language: str) -> list[AxisView]:
    """The axes of a reading, those that the model is sure of first."""
    views = [_view_axis(answer, taxonomy, language, reading.known) for answer in reading.axes.values()]
    return sorted(views, key=lambda view: not view.known)


def _view_axis(answer: AxisReading, taxonomy: Taxonomy, language: str, any_known: bool) -> AxisView:
    return AxisView(
        slug=answer.axis,
        name=axis_name(taxonomy, answer.axis).in_language(language),
        known=answer.known,
        words=describe_confidence(answer.best.confidence, known=answer.known, any_known=any_known),
        guesses=_worth_saying(_named(answer.axis, answer.top[:GUESSES], taxonomy, language)),
    )


def _worth_saying(guesses: tuple[GuessView, ...]) -> tuple[GuessView, ...]:
    """The first, and of the others those of at least one percent: "0 %" says nothing."""
    return tuple(guess for place, guess in enumerate(guesses) if not place or guess.percent)


def _named(axis: str, guesses: Iterable[Guess], taxonomy: Taxonomy, language: str) -> tuple[GuessView, ...]:
    return tuple(
        GuessView(one.slug, class_name(taxonomy, axis, one.slug).in_language(language), round(one.confidence * 100))
        for one in guesses
    )


def describe_confidence(confidence: float, *, known: bool, any_known: bool) -> str:
    """A calibrated probability, 0..1, as a shopper would say it. 73 % is more than a guess, though too little to be
    told as a fact; of a photo of which nothing is known it means less."""
    if not known:
        return _("Likely, but not certain") if confidence >= (EVEN if any_known else LIKELY) else _("Just a guess")
    if confidence >= 0.85:
        return _("Almost certain")
    if confidence >= 0.6:
        return _("Fairly sure")
    return _("Probably")


def view_words(
    reading: Reading, filters: Filters, taxonomy: Taxonomy, language: str, names: PhotoWordReader | None = None
) -> list[SeenWord]:
    """The line, as one would say it: what it is, for whom, in which colour, and then whatever else is sure. A guess at
    anything else would be one word more to doubt; no word says once more what one before it said (원피스 beside
    드레스·원피스, "One-piece dress" beside "Dress"); and none is the name of another kind, as ``names`` reads it
    ("Slacks" beside "Jeans"): one of the two is wrong, and of kinds the model knows more."""
    words = [_word(answer, filters, taxonomy, language) for answer in reading.axes.values()]
    words.sort(key=lambda word: SAID_FIRST.index(word.axis) if word.axis in SAID_FIRST else len(SAID_FIRST))
    said: list[SeenWord] = []
    kinds = _kinds(reading, filters)
    read = KIND_AXIS in reading.axes and reading.axes[KIND_AXIS].best.slug
    refused = read if read and read not in kinds else ""
    for word in words:
        welcome = word.axis in SAID_FIRST or word.known or not said
        if (
            welcome
            and not any(_says_again(word.text, before.text) for before in said)
            and not (names and said and _names_another_kind(word, kinds, refused, taxonomy, names))
        ):
            said.append(word)
    return said


def _kinds(reading: Reading, filters: Filters) -> tuple[str, ...]:
    """The kind that the line says: chosen by the shopper, else read."""
    told = reading.axes.get(KIND_AXIS)
    return _chosen(filters, KIND_AXIS) or ((told.best.slug,) if told else ())


def _names_another_kind(
    word: SeenWord, kinds: tuple[str, ...], refused: str, taxonomy: Taxonomy, names: PhotoWordReader
) -> bool:
    """Whether a word that nobody chose is by its name a kind of garment, and none that goes with ``kinds``: slacks are
    pants, so they go with pants and with slacks, and not with jeans; what is no kind (dandy) goes with all. The kind
    that was read and ``refused`` goes with nothing: who puts a blouse right to a shirt wants no "Blouse" beside it."""
    if word.corrected or word.axis in SAID_FIRST:
        return False
    name = class_name(taxonomy, word.axis, word.others[0].slug)
    named = names.kinds_named(name.en) | names.kinds_named(name.ko)
    if refused in named:
        return True
    return bool(named and kinds) and not any(_are_related(one, kind, taxonomy) for one in named for kind in kinds)


def _are_related(one: str, other: str, taxonomy: Taxonomy) -> bool:
    """Whether one kind is the other, or a kind of it."""
    axis = taxonomy.axes[KIND_AXIS]
    return one == other or (
        all(kind in axis.by_slug for kind in (one, other))
        and (one in axis.lineage(other) or other in axis.lineage(one))
    )


def _says_again(word: str, before: str) -> bool:
    return word.lower() in before.lower() or before.lower() in word.lower()


def _word(answer: AxisReading, filters: Filters, taxonomy: Taxonomy, language: str) -> SeenWord:
    chosen = _chosen(filters, answer.axis)
    offered, rest = _offered(answer, taxonomy)
    names = [class_name(taxonomy, answer.axis, slug).in_language(language) for slug in chosen]
    title = axis_name(taxonomy, answer.axis).in_language(language)
    first = class_name(taxonomy, answer.axis, answer.best.slug).in_language(language)
    return SeenWord(
        axis=answer.axis,
        name=title,
        text=", ".join(names) or (title if _is_left_open(answer) else first),
        known=answer.known or bool(chosen),
        corrected=bool(chosen),
        others=_named(answer.axis, offered, taxonomy, language),
        rest=_named(answer.axis, rest, taxonomy, language),
    )


def _is_left_open(answer: AxisReading) -> bool:
    """Whether the line asks rather than guesses ("Colour?"): a black blazer called green makes the rest be doubted too.
    The kind is guessed at whatever it is, since it is what the photo is looked for by."""
    return answer.axis != KIND_AXIS and not answer.known and answer.best.confidence < EVEN


def _offered(answer: AxisReading, taxonomy: Taxonomy) -> tuple[list[Guess], list[Guess]]:
    """What a word is corrected to first, and all the rest. Where the likelihoods tell nothing any more, what is worn in
    the same place comes before what is not: of a dress a jumpsuit before sunglasses."""
    axis = taxonomy.axes.get(answer.axis)
    known = axis.by_slug if axis else {}
    place = known[answer.best.slug].group if answer.best.slug in known else ""

    def is_far(guess: Guess) -> bool:
        return guess.confidence < UNLIKELY and (guess.slug not in known or known[guess.slug].group != place)

    ordered, places = sorted(answer.top, key=is_far), [*known]
    rest = sorted(ordered[OFFERED:], key=lambda guess: places.index(guess.slug) if guess.slug in known else len(places))
    return ordered[:OFFERED], rest


def _chosen(filters: Filters, axis: str) -> tuple[str, ...]:
    """What a shopper narrowed an axis down to, as far as the model knows it too (nothing is read as unisex)."""
    if axis == AUDIENCE_AXIS:
        return tuple(slug for slug in filters.audiences if slug != "unisex")
    return filters.colors if axis == COLOR_AXIS else filters.classes.get(axis, ())


def corrected(filters: Filters, axis: str, slug: str | None) -> Filters:
    """``filters`` with ``slug`` as the one class on ``axis``, or with none where it is ``None``."""
    one = (slug,) if slug else ()
    if axis == AUDIENCE_AXIS:
        return replace(filters, audiences=cast(tuple[Audience, ...], one))
    if axis == COLOR_AXIS:
        return replace(filters, colors=one)
    rest = {name: slugs for name, slugs in filters.classes.items() if name != axis}
    return replace(filters, classes={**rest, axis: one} if one else rest)

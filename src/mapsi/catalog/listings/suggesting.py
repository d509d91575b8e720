"""What somebody who is typing may mean: classes, brands and frequent words that begin so, with what they find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

from mapsi.catalog.filters import Filters
from mapsi.catalog.listings.engines.product_document import SEPARATOR, spell
from mapsi.catalog.listings.searching import Searcher
from mapsi.catalog.records import Suggestion
from mapsi.catalog.text.hangul import is_initials
from mapsi.catalog.text.price_words import read_price
from mapsi.catalog.text.tokens import words
from mapsi.taxonomy import Taxonomy

MOST = 10
_TRIED = 2
_KINDS = {"class": 2, "brand": 1, "word": 0}


class _Candidate(NamedTuple):
    """A text to suggest; ``weight`` is about how many products it stands for."""

    weight: int
    kind: str
    text: str


def suggest(text: str, searcher: Searcher, taxonomy: Taxonomy, limit: int) -> tuple[Suggestion, ...]:
    """At most ``limit`` texts that complete ``text``, the most frequent first, each with the number of products that a
    search for it finds; none that finds nothing. A price in the text stays before or behind the others, and is counted
    as the filter that it is."""
    price = read_price(text)
    said, within = words(price.rest), price.narrow(Filters())
    is_last = text.lstrip().startswith(price.rest)
    found: dict[str, Suggestion] = {}
    for before, typed in ((said[:at], said[at:]) for at in range(len(said))):
        for candidate in _complete(typed, searcher, taxonomy, _TRIED * limit):
            full = " ".join((*before, candidate.text))
            if len(found) < limit and full.casefold() not in found:
                asked = tuple(dict.fromkeys(words(full)))
                count = searcher.count_words(asked, within)
                if count:
                    priced = (full, price.phrases) if is_last else (price.phrases, full)
                    suggested = " ".join(filter(None, priced))
                    found[full.casefold()] = Suggestion(text=suggested, kind=candidate.kind, count=count)
    return tuple(sorted(found.values(), key=attrgetter("count"), reverse=True))


def _complete(typed: Sequence[str], searcher: Searcher, taxonomy: Taxonomy, most: int) -> list[_Candidate]:
    joined = "".join(typed)
    beginnings = [spell(" ".join(typed)), *([joined] if is_initials(joined) else [])]
    candidates = {each for beginning in beginnings for each in _beginning_with(beginning, searcher, taxonomy, most)}
    return sorted(candidates, key=lambda each: (-each.weight, -_KINDS[each.kind], each.text))[:most]


def _beginning_with(beginning: str, searcher: Searcher, taxonomy: Taxonomy, most: int) -> Iterator[_Candidate]:
    for token, weight in searcher.view.beginning_with("suggestion", beginning, 2 * most):
        _, kind, value = token.split(SEPARATOR)
        text = _class_name(value, taxonomy) if kind == "class" else value
        if text:
            yield _Candidate(weight, kind, text)


def _class_name(value: str, taxonomy: Taxonomy) -> str:
    """The name that ``axis:slug:0`` (Korean) or ``axis:slug:1`` (English) stands for, empty for a class of another
    taxonomy."""
    axis, slug, language = value.split(":")
    known = taxonomy.listed[axis].by_slug if axis in taxonomy.listed else {}
    return known[slug].name.in_language("en" if int(language) else "ko") if slug in known else ""

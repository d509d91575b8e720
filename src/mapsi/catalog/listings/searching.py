"""Answers out of the index of words: a page of products, how many there are, and what narrows them down."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

from mapsi.catalog.filters import Filters, Sort
from mapsi.catalog.listings.correcting import correct
from mapsi.catalog.listings.engines.sought import All, Every, Sought, Worth
from mapsi.catalog.listings.engines.view import Found, Hit, Order, View
from mapsi.catalog.listings.facets import FacetCounter
from mapsi.catalog.listings.matching import INSIDE, Matcher, find, of_offers
from mapsi.catalog.records import Facets
from mapsi.catalog.store.expiry import Expired
from mapsi.catalog.text.asked import Asked, Clause, Role, Unit, understand
from mapsi.catalog.text.facts import KIND, NOUN, SHOWN, fact
from mapsi.catalog.text.thesaurus import Thesaurus
from mapsi.catalog.text.tokens import stem

T = TypeVar("T")
FEW = 8
"""Where fewer products than this have all words, the nearest are shown after them."""
_SCORED_AT_ONCE = 2_000
"""So many products are scored one by one; of more, those with the most points are found first."""
_ALL_WORDS = 24.0
"""What having all words is worth beside the points of single ones: more than they can make up for."""
_COLOR_SAID = 2.0
"""What having the colour is worth beside its own points: a white shirt is nearer to a white dress shirt than a pink
dress shirt is."""


class Wanted(NamedTuple):
    """What is searched for: all ``asked`` has, or, where that is little, the ``nearest``, a query of its own.

    ``instead`` are the words that were taken in place of those typed, ``left_out`` those that nothing near has,
    ``whole`` counts the products that have all words and are what these ask for, where the nearest are shown after
    them; ``total`` counts, where it is known, what is found without filters."""

    asked: Asked
    nearest: Sought | None = None
    instead: str = ""
    left_out: str = ""
    whole: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The products of one page; how many there are over all pages; what was searched for."""

    hits: list[Hit]
    total: int
    wanted: Wanted


class Searcher:
    """Searches one state of the index, among what has not ``expired``. ``shops`` gives slug and name by number;
    ``memory`` keeps what holds as long as this state."""

    def __init__(
        self,
        view: View,
        thesaurus: Thesaurus,
        shops: Mapping[int, tuple[str, str]],
        expired: Expired,
        memory: Callable[[Hashable, Callable[[], Any]], Any],
    ) -> None:
        self.view = view
        self._thesaurus = thesaurus
        self._shops = shops
        self.expired = expired
        self._memory = memory
        self._matcher = Matcher({slug: number for number, (slug, _) in shops.items()})
        self._living = self._matcher.living(expired)

    def page(
        self, words: tuple[str, ...], filters: Filters, sort: Sort, offset: int, size: int, *, exact: bool = False
    ) -> SearchResult:
        """``size`` products from ``offset`` on. The order ``likeness`` is that of points, among equals the newest."""
        if not words:
            return self._look(Wanted(Asked(())), filters, sort, offset, size)
        wanted = self.wanted(words, fill=sort == "likeness", exact=exact)
        return self._look(wanted, filters, sort, offset, size)

    def facets(self, words: tuple[str, ...], filters: Filters, *, fill: bool = True, exact: bool = False) -> Facets:
        """What the answer can be narrowed down to; see :class:`~mapsi.catalog.records.Facets`."""
        wanted = self.wanted(words, fill=fill, exact=exact) if words else Wanted(Asked(()))
        return FacetCounter(self.view, self._sought(wanted), self._matcher.filters(filters)).count(self._shops)

    def facets_among(self, offers: Sequence[int], filters: Filters, apart: Mapping[str, Sequence[int]]) -> Facets:
        """What the products of these offers can be narrowed down to; a kind of filter that is ``apart`` is counted over
        its own."""

        def among(numbers: Sequence[int]) -> All:
            return self._living.narrowed(of_offers(numbers))

        own = {kind: among(numbers) for kind, numbers in apart.items()}
        return FacetCounter(self.view, among(offers), self._matcher.filters(filters), own).count(self._shops)

    def count_words(self, words: tuple[str, ...], filters: Filters) -> int:
        """How many products a search for these words finds."""
        sought = self._sought(self.wanted(words, fill=True, exact=False))
        return self.view.count(sought.narrowed(*self._matcher.filters(filters).values()))

    def wanted(self, words: tuple[str, ...], *, fill: bool, exact: bool) -> Wanted:
        """What to search for, so that something is found: the words as they are, mended, or the nearest to them."""
        found: Wanted = self._memory(
            ("wanted", words, fill, exact, self.expired), lambda: self._want(words, fill=fill, exact=exact)
        )
        return found

    def _want(self, words: tuple[str, ...], *, fill: bool, exact: bool) -> Wanted:
        asked = self._understand(words, exact=exact)
        whole = self._total_of(Wanted(asked))
        if exact or (whole and (not fill or whole >= FEW)):
            return Wanted(asked, total=whole)
        if not whole:
            mended = correct(self.view, words, self._is_known, self._finds)
            if mended:
                return self.wanted(mended, fill=fill, exact=exact)._replace(instead=" ".join(mended))
        return self._nearest(asked, whole)

    def _nearest(self, asked: Asked, whole: int) -> Wanted:
        """The needed units that can be had together, those that say most first; around the first of them the
        nearest."""
        kept: list[Unit] = []
        left_out: list[Unit] = []
        for unit in sorted(asked.needed, key=lambda unit: unit.role.value):
            with_it = Asked((*kept, unit), asked.liked)
            if self._total_of(Wanted(with_it)):
                kept.append(unit)
                continue
            if self._is_color_of_the_wider(unit, kept):
                kept.append(unit)
                continue
            left_out.append(unit)
            wider = _family(unit) or (None if kept else self._widened(unit))
            if wider is not None and self._total_of(Wanted(Asked((*kept, wider)))):
                kept.append(wider)
        if not kept or (not left_out and len(kept) == 1 and self._widened(kept[0]) is None):
            return Wanted(asked)
        said = [unit.piece.text for unit in asked.units if unit in left_out]
        near = Asked(tuple(kept), asked.liked)
        first = self.view.count(self._everything(near) + self._living) if whole else 0
        return Wanted(near, self._around(near), left_out=" ".join(said), whole=first)

    def _is_color_of_the_wider(self, unit: Unit, kept: Sequence[Unit]) -> bool:
        """Whether a colour that the kind in the words does not come in is one of the wider kind's: there are no navy
        chinos, but navy trousers."""
        wider = self._widened(kept[0]) if kept and unit.role is Role.COLOR and _is_of_the_near(kept[0]) else None
        return wider is not None and self._total_of(Wanted(Asked((wider, *kept[1:], unit)))) > 0

    def _around(self, near: Asked) -> Sought:
        first, *others = near.needed
        liked: list[Sought] = []
        for unit in (*others, *near.liked):
            liked.append(self._matcher.has(unit))
            if unit.role is Role.COLOR and _is_of_the_near(first):
                liked.append(Worth(self._matcher.has(unit), _COLOR_SAID))
        anchor = self._matcher.has(self._widened(first) or first)
        return All((anchor,), liked=(*liked, Worth(self._everything(near), _ALL_WORDS)))

    def _everything(self, near: Asked) -> All:
        """Products that have all that is asked for and are what it is, where others only name it (a denim shirt, among
        jeans): they come before the nearest."""
        first = near.needed[0]
        kinds = [clause for clause in first.clauses if first.role is Role.KIND and clause.text.startswith(f"{KIND}:")]
        return self._matcher.asked(near).narrowed(*map(find, kinds[:1]))

    def _widened(self, unit: Unit) -> Unit | None:
        """A kind together with those near it and those that it is one of. What is one of these comes before what is but
        a kind of them: trousers are nearer to slacks than jeans are."""
        meaning = unit.piece.meaning
        if meaning is None or unit.role is not Role.KIND or not (meaning.near or meaning.under):
            return None
        points, wider = (3, meaning.near) if meaning.near else (2, meaning.under)
        kinds = tuple(Clause("fact", fact(KIND, name), points) for name in wider)
        very = tuple(Clause("fact", fact(NOUN, name), 1) for name in wider)
        return replace(unit, clauses=(*unit.clauses, *kinds, *very), covered=False)

    def _is_known(self, word: str) -> bool:
        return self._thesaurus.meaning_of((word,)) is not None

    def _finds(self, words: Sequence[str]) -> bool:
        return self._total_of(Wanted(self._understand(words, exact=True))) > 0

    def _understand(self, words: Sequence[str], *, exact: bool) -> Asked:
        return understand(words, self._thesaurus, self._is_word, exact=exact)

    def _is_word(self, word: str) -> bool:
        root = stem(word)
        return self.view.holds([(field, root) for field in ("title", "about", "class_word")])

    def _sought(self, wanted: Wanted) -> All:
        """What is wanted, of what is shown."""
        if wanted.nearest is not None:
            return self._living.narrowed(wanted.nearest)
        if not wanted.asked.units:
            return self._living.narrowed(Every())
        return self._matcher.asked(wanted.asked) + self._living

    def _total_of(self, wanted: Wanted) -> int:
        return self.view.count(self._sought(wanted))

    def _look(self, wanted: Wanted, filters: Filters, sort: Sort, offset: int, size: int) -> SearchResult:
        narrowed = tuple(self._matcher.filters(filters).values())
        if narrowed and wanted.whole:
            whole = (self._everything(wanted.asked) + self._living).narrowed(*narrowed)
            wanted = wanted._replace(whole=self.view.count(whole))
        sought = self._sought(wanted).narrowed(*narrowed)
        if self.view.scores_dearly and sort == "likeness" and wanted.asked.units and wanted.nearest is None:
            known = None if narrowed else wanted.total
            total = self.view.count(sought) if known is None else known
            among = self._living.narrowed(*narrowed)
            hits = self._by_tiers(wanted.asked, among, offset, size) if total > _SCORED_AT_ONCE else None
            if hits is not None:
                return SearchResult(hits, total, wanted)
        order: Order = "points" if sort == "likeness" else sort
        if sort == "likeness" and not wanted.asked.units:
            order = "newest"
        found = self.view.look(sought, size, offset=offset, order=order)
        return SearchResult(found.hits, found.total, wanted)

    def _by_tiers(self, asked: Asked, among: All, offset: int, size: int) -> list[Hit] | None:
        """The same page without a score for each product that has the words: the newest of those with the most points,
        then of those with the next most. ``None`` for words that have no tiers."""
        hits, before, tier = list[Hit](), 0, None
        for tier in self._matcher.tiers(asked, self._is_held):
            rest, start = size - len(hits), max(0, offset - before)
            found: Found = self.view.look(among.narrowed(tier), rest, offset=start, order="newest")
            hits += found.hits
            before += found.total
            if len(hits) == size:
                break
        return None if tier is None else hits

    def _is_held(self, clause: Clause) -> bool:
        field = "class_word" if clause.field == "class" else clause.field
        return clause.field in INSIDE or self.view.holds([(field, clause.text)])

    def variants(self, hit: Hit) -> list[int]:
        """The offers of a product."""
        return self.view.variants(hit)


def _is_of_the_near(unit: Unit) -> bool:
    """Whether what is near a kind is what it is one of, so that a product of these may be of the very kind, unsaid."""
    meaning = unit.piece.meaning
    return meaning is not None and bool(meaning.near) and set(meaning.near) <= set(meaning.under)


def _family(unit: Unit) -> Unit | None:
    """The family of a shade: green, where nothing is khaki."""
    meaning = unit.piece.meaning
    if meaning is None or not meaning.shade:
        return None
    return replace(unit, clauses=tuple(clause for clause in unit.clauses if clause.text.startswith(f"{SHOWN}:")))

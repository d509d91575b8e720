"""When products of several shops are one: rules over what the shops say, without the database.

Two products are one where they share a GTIN, a brand with its maker's number, or the brand and have copies of one
picture; never because they look alike. A seller has no two products that are one: what it tells apart stays apart, and
a number or picture that it gives to two of its products tells nothing there (docs/decisions/0016).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from mapsi.catalog.product import Evidence
from mapsi.disjoint_sets import DisjointSets

OwnProduct = tuple[int, str]
"""A product of one shop: the shop's number and its key for the group of variants."""
Seller = tuple[int, str]
_STRENGTH = {"gtin": 0, "mpn": 1, "picture": 2}


@dataclass(frozen=True, slots=True)
class Statement:
    """What a shop says of one of its products, all variants together, and by whom it is sold. Of one that is ``parted``
    nothing is believed."""

    product: OwnProduct
    sellers: frozenset[Seller]
    evidence: frozenset[Evidence]
    parted: bool = False


class Link(NamedTuple):
    """Two products that are one, and why."""

    one: OwnProduct
    other: OwnProduct
    why: Evidence


def link(statements: Iterable[Statement]) -> list[Link]:
    """The links that join products, the strongest evidence first; with n products joined there are n - 1 of them."""
    known = {each.product: each for each in statements}
    joined = _Joined({product: each.sellers for product, each in known.items()})
    links = []
    for why, products in _believed(known.values()):
        for at, other in enumerate(products):
            one = next((each for each in products[:at] if joined.join(each, other)), None)
            if one is not None:
                links.append(Link(one, other, why))
    return links


def components(links: Iterable[Link]) -> list[frozenset[OwnProduct]]:
    """The sets of products that links join."""
    sets = DisjointSets[OwnProduct]()
    for one, other, _ in links:
        sets.join(one, other)
    found: defaultdict[OwnProduct, set[OwnProduct]] = defaultdict(set)
    for product, first in sets.firsts().items():
        found[first].add(product)
    return [frozenset(whole) for whole in found.values()]


def _believed(statements: Iterable[Statement]) -> Iterable[tuple[Evidence, Sequence[OwnProduct]]]:
    """Each piece of evidence with the products that it speaks of, in one order whatever the statements' is."""
    holders: defaultdict[Evidence, list[Statement]] = defaultdict(list)
    for each in sorted(statements, key=lambda statement: statement.product):
        if not each.parted:
            for evidence in each.evidence:
                holders[evidence].append(each)
    stand_ins = _stand_ins(holders)
    for why in sorted(holders, key=lambda evidence: (_STRENGTH[evidence.kind], evidence)):
        if (why.kind, why.value) not in stand_ins:
            yield why, _told_once(holders[why])


def _stand_ins(holders: Mapping[Evidence, object]) -> set[tuple[str, str]]:
    """Pictures that products of two brands have: of a logo, or of "no picture yet"."""
    pictures = sorted(evidence for evidence in holders if evidence.kind == "picture")
    same = groupby(pictures, key=lambda evidence: evidence.value)
    return {("picture", value) for value, brands in same if len(list(brands)) > 1}


def _told_once(holders: Sequence[Statement]) -> list[OwnProduct]:
    """The products of sellers that have the evidence for one product alone."""
    times: defaultdict[Seller, int] = defaultdict(int)
    for each in holders:
        for seller in each.sellers:
            times[seller] += 1
    return [each.product for each in holders if all(times[seller] == 1 for seller in each.sellers)]


class _Joined:
    """Products put together step by step, no two of one seller."""

    def __init__(self, sellers: Mapping[OwnProduct, frozenset[Seller]]) -> None:
        self._sellers = dict(sellers)
        self._sets = DisjointSets[OwnProduct]()

    def join(self, one: OwnProduct, other: OwnProduct) -> bool:
        """Put together what is still apart and may be one; says whether it did."""
        first, second = self._sets.first(one), self._sets.first(other)
        if first == second or self._sellers[first] & self._sellers[second]:
            return False
        self._sets.join(first, second)
        self._sellers[self._sets.first(first)] = self._sellers[first] | self._sellers[second]
        return True

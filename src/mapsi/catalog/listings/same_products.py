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
    of: dict[OwnProduct, set[OwnProduct]] = {}
    for one, other, _ in links:
        whole = of.get(one, {one}) | of.get(other, {other})
        of |= dict.fromkeys(whole, whole)
    return list({id(whole): frozenset(whole) for whole in of.values()}.values())


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
        self._above: dict[OwnProduct, OwnProduct] = {}

    def join(self, one: OwnProduct, other: OwnProduct) -> bool:
        """Put together what is still apart and may be one; says whether it did."""
        top, under = self._top(one), self._top(other)
        if top == under or self._sellers[top] & self._sellers[under]:
            return False
        self._above[under] = top
        self._sellers[top] |= self._sellers[under]
        return True

    def _top(self, product: OwnProduct) -> OwnProduct:
        while product in self._above:
            product = self._above[product]
        return product

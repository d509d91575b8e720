"""Products of several shops put together in the listings: looked at again wherever something changed.

A change of one offer can only touch what is reached from it: the variants of its product, what they are joined with,
and what shares a number or has a copy of its picture, and so on. All of that is read, joined again by the rules of
:mod:`~mapsi.catalog.listings.same_products`, and written where it differs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, func, or_, select, tuple_, update
from sqlalchemy.orm import aliased

from mapsi.batches import batched
from mapsi.catalog.listings.same_products import Link, OwnProduct, Seller, Statement, components, link
from mapsi.catalog.product import Evidence
from mapsi.catalog.store.changes import note_changes
from mapsi.catalog.store.operator_tables import PartingRow
from mapsi.catalog.store.tables import Listing, OfferRow, PictureRow
from mapsi.catalog.text.identifiers import BrandReader
from mapsi.taxonomy.synonyms import load_brands

MOST_OFFERS = 500
"""A number or a picture that more offers have than this names no product: five shops with a hundred variants each."""
_TOGETHER = 2000
_PART = 500
_EVIDENCE = {"gtin": Listing.gtin, "mpn": Listing.maker, "picture": PictureRow.same_as}


class ListingEvidence(NamedTuple):
    """A listing with what its shop says of which product it is of."""

    offer_id: int
    product: OwnProduct
    joined: int | None
    seller: Seller
    evidence: tuple[Evidence, ...]


def touched_by(connection: Connection, outdated: Select[Any]) -> set[int]:
    """What has to be looked at again once these listings (a query of their ids) have changed or gone: what is joined
    with them, and what shares a number that may now name one product alone."""
    rows = list(_read_evidence(connection, _candidates(connection, outdated)))
    return _together_with(connection, rows) | _sharing(connection, rows, set(), set())


def join_changed(connection: Connection, changed: Select[Any], touched: Iterable[int]) -> int:
    """Look again at the ``changed`` offers (a query of ids), and at those that :func:`touched_by` gave before. In the
    transaction of the change, after its generation; returns how many listings changed by that."""
    return rejoin(connection, [*_candidates(connection, changed), *touched])


def rejoined(connection: Connection) -> dict[int, int | None]:
    """What joining all products again would change: offers with the number of their product."""
    return _rejoined(connection, _candidates(connection, None))


def write_joined(connection: Connection, changes: Mapping[int, int | None]) -> None:
    """Write what :func:`rejoined` gave, after the generation has advanced."""
    _write(connection, changes)


def rejoin(connection: Connection, offers: Iterable[int]) -> int:
    """Look again at these offers; as :func:`join_changed`."""
    return _write(connection, _rejoined(connection, list(offers)))


def explain(connection: Connection, offers: Iterable[int]) -> tuple[dict[int, ListingEvidence], list[Link]]:
    """The listings that are reached from these offers, by offer, and the links among their products."""
    listings, common = _reach(connection, offers)
    return listings, link(_statements(connection, listings.values(), common))


def _candidates(connection: Connection, changed: Select[Any] | None) -> list[int]:
    """Those of the offers (of all, for none given) that are joined or may be: a sieve in the database, so that the many
    that share nothing never leave it."""
    mine, other = aliased(Listing), aliased(Listing)
    elsewhere = or_(other.shop_id != mine.shop_id, other.group_key != mine.group_key)
    shared = [
        select(other.offer_id).where(its == my, elsewhere).exists()
        for its, my in ((other.gtin, mine.gtin), (other.maker, mine.maker))
    ]
    sibling = select(other.offer_id).where(
        other.shop_id == mine.shop_id, other.group_key == mine.group_key, other.joined.is_not(None)
    )
    ways = [*shared, (~mine.group_key.startswith("=", autoescape=True)) & sibling.exists()]
    query = select(mine.offer_id).where(or_(mine.joined.is_not(None), *ways))
    if changed is not None:
        return list(connection.scalars(query.where(mine.offer_id.in_(changed))))
    return [*connection.scalars(query), *_sharing_pictures(connection)]


def _sharing_pictures(connection: Connection) -> list[int]:
    """Offers of a brand whose picture, or a copy of it, another product of a brand has too. In two steps: as one query
    with EXISTS, MariaDB compares all offers with all."""
    of_brand = (OfferRow.gone_at.is_(None), OfferRow.brand != "")
    lowest, highest = (each(OfferRow.shop_id) for each in (func.min, func.max))
    first, last = (each(OfferRow.group_key) for each in (func.min, func.max))
    shared = select(PictureRow.same_as).join(OfferRow, OfferRow.picture == PictureRow.digest).where(*of_brand)
    shared = shared.where(PictureRow.same_as.is_not(None)).group_by(PictureRow.same_as)
    shared = shared.having(or_(lowest != highest, first != last))
    offers = select(Listing.offer_id).join(OfferRow, OfferRow.id == Listing.offer_id)
    offers = offers.join(PictureRow, PictureRow.digest == OfferRow.picture).where(Listing.joined.is_(None), *of_brand)
    return [
        offer
        for part in batched(connection.scalars(shared).all(), _PART)
        for offer in connection.scalars(offers.where(PictureRow.same_as.in_(part)))
    ]


def _of(connection: Connection, numbers: Iterable[int]) -> list[int]:
    """The offers of joined products."""
    query = select(Listing.offer_id)
    return [
        offer for part in batched(numbers, _PART) for offer in connection.scalars(query.where(Listing.joined.in_(part)))
    ]


def _rejoined(connection: Connection, offers: Sequence[int]) -> dict[int, int | None]:
    """The offers, among all that these reach, whose product has another number now."""
    changes: dict[int, int | None] = {}
    seen: set[int] = set()
    for batch in batched(offers, _TOGETHER):
        part = [offer for offer in batch if offer not in seen]
        listings, links = explain(connection, part)
        seen |= listings.keys()
        numbers = _numbers(listings.values(), links)
        changes |= {offer: numbers.get(row.product) for offer, row in listings.items()}
        for offer, row in listings.items():
            if changes[offer] == row.joined:
                del changes[offer]
    return changes


def _numbers(listings: Iterable[ListingEvidence], links: Iterable[Link]) -> dict[OwnProduct, int]:
    """A joined product is numbered by the first of its offers."""
    first: dict[OwnProduct, int] = {}
    for row in listings:
        first[row.product] = min(row.offer_id, first.get(row.product, row.offer_id))
    return {product: min(first[each] for each in whole) for whole in components(links) for product in whole}


def _write(connection: Connection, changes: Mapping[int, int | None]) -> int:
    table: Any = Listing.__table__
    statement = update(table).where(table.c.offer_id == bindparam("at"))
    for part in batched(changes, _PART):
        connection.execute(statement, [{"at": offer, "joined": changes[offer]} for offer in part])
        note_changes(connection, select(Listing.offer_id).where(Listing.offer_id.in_(part)))
    return len(changes)


def _reach(connection: Connection, offers: Iterable[int]) -> tuple[dict[int, ListingEvidence], set[tuple[str, str]]]:
    """All listings that are reached from these offers, and the evidence that is too common to tell anything."""
    found: dict[int, ListingEvidence] = {}
    common: set[tuple[str, str]] = set()
    asked: set[tuple[str, Any]] = set()
    wanted = set(offers)
    while wanted:
        rows = list(_read_evidence(connection, sorted(wanted)))
        found |= {row.offer_id: row for row in rows}
        wanted = _together_with(connection, rows) | _sharing(connection, rows, asked, common)
        wanted -= found.keys()
    return found, common


def _read_evidence(connection: Connection, offers: Iterable[int]) -> Iterator[ListingEvidence]:
    own = (Listing.offer_id, Listing.shop_id, Listing.group_key, Listing.joined, Listing.brand)
    query = select(*own, *(column.label(kind) for kind, column in _EVIDENCE.items()), OfferRow.seller)
    query = query.join(OfferRow, OfferRow.id == Listing.offer_id)
    query = query.outerjoin(PictureRow, PictureRow.digest == OfferRow.picture)
    for part in batched(offers, _PART):
        for row in connection.execute(query.where(Listing.offer_id.in_(part))):
            evidence = tuple(_evidence(row))
            yield ListingEvidence(
                row.offer_id, (row.shop_id, row.group_key), row.joined, (row.shop_id, row.seller), evidence
            )


def _evidence(row: Any) -> Iterator[Evidence]:
    if row.gtin:
        yield Evidence("gtin", row.gtin)
    if row.mpn:
        yield Evidence("mpn", row.mpn)
    brand = _brands().fold(row.brand)
    if row.picture and brand:
        yield Evidence("picture", row.picture, brand)


def _together_with(connection: Connection, rows: Sequence[ListingEvidence]) -> set[int]:
    """The other variants of these listings' products, and what they are joined with now. A number may not be given
    twice, so whatever has the number of one of these offers is looked at too."""
    groups = {row.product for row in rows if not row.product[1].startswith("=")}
    variants = select(Listing.offer_id)
    found = {
        offer
        for part in batched(groups, _PART)
        for offer in connection.scalars(variants.where(tuple_(Listing.shop_id, Listing.group_key).in_(part)))
    }
    return found | set(_of(connection, {row.joined for row in rows if row.joined} | {row.offer_id for row in rows}))


def _sharing(
    connection: Connection, rows: Sequence[ListingEvidence], asked: set[tuple[str, Any]], common: set[tuple[str, str]]
) -> set[int]:
    """The offers that share a number, or have copies of one picture, with these listings."""
    found: set[int] = set()
    for kind, column in _EVIDENCE.items():
        new = {(kind, each.value) for row in rows for each in row.evidence if each.kind == kind} - asked
        asked |= new
        query = select(Listing.offer_id, column.label("value"))
        if kind == "picture":
            query = query.join(OfferRow, OfferRow.id == Listing.offer_id)
            query = query.join(PictureRow, PictureRow.digest == OfferRow.picture)
        holders: defaultdict[str, list[int]] = defaultdict(list)
        for part in batched((value for _, value in new), _PART):
            for row in connection.execute(query.where(column.in_(part))):
                holders[row.value].append(row.offer_id)
        for value, offers in holders.items():
            if len(offers) > MOST_OFFERS:
                common.add((kind, value))
            else:
                found.update(offers)
    return found


def _statements(
    connection: Connection, listings: Iterable[ListingEvidence], common: set[tuple[str, str]]
) -> Iterator[Statement]:
    products: defaultdict[OwnProduct, list[ListingEvidence]] = defaultdict(list)
    for row in listings:
        products[row.product].append(row)
    parted = _parted(connection, products)
    for product, rows in products.items():
        said = {each for row in rows for each in row.evidence if (each.kind, each.value) not in common}
        sellers = frozenset(row.seller for row in rows)
        yield Statement(product, sellers, frozenset(said), product in parted)


def _parted(connection: Connection, products: Iterable[OwnProduct]) -> set[OwnProduct]:
    pair = tuple_(PartingRow.shop_id, PartingRow.group_key)
    query = select(PartingRow.shop_id, PartingRow.group_key)
    return {
        (row.shop_id, row.group_key)
        for part in batched(products, _PART)
        for row in connection.execute(query.where(pair.in_(part)))
    }


@lru_cache(maxsize=1)
def _brands() -> BrandReader:
    return BrandReader(load_brands())

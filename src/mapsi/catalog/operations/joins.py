"""Products of several shops that are one: what was joined and why, and the word of a person against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, func, insert, select

from mapsi.catalog.listings.browsing import load_offers
from mapsi.catalog.listings.joining import ListingEvidence, explain, rejoin, rejoined, write_joined
from mapsi.catalog.listings.same_products import Link, OwnProduct
from mapsi.catalog.operations.jobs import Job, put_job
from mapsi.catalog.pictures.same_pictures import note_same_pictures
from mapsi.catalog.product import Evidence, JoinedOffer
from mapsi.catalog.store.changes import advance_generation, note_changes
from mapsi.catalog.store.database import Database, begin_write
from mapsi.catalog.store.locks import switch_lock
from mapsi.catalog.store.operator_tables import PartingRow
from mapsi.catalog.store.tables import Listing, OfferRow
from mapsi.errors import NotFoundError


class Joins:
    """The joined products of one catalogue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self) -> int:
        """How many products several shops have."""
        with self._database.read() as connection:
            return int(connection.scalar(select(func.count(Listing.joined.distinct()))) or 0)

    def page(self, number: int, size: int) -> list[list[JoinedOffer]]:
        """Page ``number`` (from 1) of the joined products, those joined last first, each with its shops' parts, the
        cheapest first."""
        query = select(Listing.joined).where(Listing.joined.is_not(None)).group_by(Listing.joined)
        query = query.order_by(func.max(Listing.offer_id).desc()).limit(size).offset((number - 1) * size)
        with self._database.read() as connection:
            numbers = connection.scalars(query).all()
            return [_parts(connection, number) for number in numbers if number]

    def of(self, offer_id: int) -> list[JoinedOffer]:
        """The parts of the product that an offer is of; empty where it stands by itself."""
        with self._database.read() as connection:
            number = connection.scalar(select(Listing.joined).where(Listing.offer_id == offer_id))
            return [] if number is None else _parts(connection, number)

    def parted(self) -> list[int]:
        """Of each product that a person parted the first offer, the latest parting first."""
        same = (OfferRow.shop_id == PartingRow.shop_id) & (OfferRow.group_key == PartingRow.group_key)
        query = select(func.min(OfferRow.id)).join_from(PartingRow, OfferRow, same)
        query = query.group_by(PartingRow.shop_id, PartingRow.group_key)
        with self._database.read() as connection:
            return list(connection.scalars(query.order_by(func.max(PartingRow.made_at).desc())))

    def part(self, offer_id: int) -> None:
        """Take the product that an offer is of, as its shop has it, out of what it is joined with. It holds over
        refreshes until :meth:`allow`, and queues a build of the index of pictures. Raises :class:`NotFoundError` for
        no offer."""
        self._decide(offer_id, is_parted=True)

    def allow(self, offer_id: int) -> None:
        """Let the rules join it again; otherwise as :meth:`part`."""
        self._decide(offer_id, is_parted=False)

    def renew(self) -> int:
        """Join all products again, by their pictures as well, which come after an import; copies of those that are new
        are looked for first. Takes its turn with imports; returns how many offers changed by that."""
        note_same_pictures(self._database)
        with (
            self._database.session() as connection,
            switch_lock(self._database, connection),
            begin_write(connection),
        ):
            changes = rejoined(connection)
            if changes:
                advance_generation(connection)
                write_joined(connection, changes)
        return len(changes)

    def _decide(self, offer_id: int, *, is_parted: bool) -> None:
        with (
            self._database.session() as connection,
            switch_lock(self._database, connection),
            begin_write(connection),
        ):
            shop_id, group_key = _own_product(connection, offer_id)
            mine = (PartingRow.shop_id == shop_id, PartingRow.group_key == group_key)
            connection.execute(delete(PartingRow).where(*mine))
            if is_parted:
                values = {"shop_id": shop_id, "group_key": group_key, "made_at": self._database.now()}
                connection.execute(insert(PartingRow).values(values))
            variants = select(Listing.offer_id).where(Listing.shop_id == shop_id, Listing.group_key == group_key)
            advance_generation(connection)
            note_changes(connection, variants)
            rejoin(connection, connection.scalars(variants).all())
            put_job(connection, Job("index"), self._database.now())


def _own_product(connection: Connection, offer_id: int) -> OwnProduct:
    row = connection.execute(select(OfferRow.shop_id, OfferRow.group_key).where(OfferRow.id == offer_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no offer {offer_id}.", "Use the number of a product that is shown.")
    return row.shop_id, row.group_key


def _parts(connection: Connection, number: int) -> list[JoinedOffer]:
    prices = select(Listing.offer_id).where(Listing.joined == number).order_by(Listing.price_order, Listing.offer_id)
    offers = connection.scalars(prices).all()
    listings, links = explain(connection, offers)
    cheapest: dict[OwnProduct, int] = {}
    for offer in offers:
        cheapest.setdefault(listings[offer].product, offer)
    shares = _shares(listings.values(), links)
    products = load_offers(connection, list(cheapest.values()))
    return [JoinedOffer(product=each, shares=shares[listings[each.id].product]) for each in products]


def _shares(listings: Iterable[ListingEvidence], links: Sequence[Link]) -> dict[OwnProduct, tuple[Evidence, ...]]:
    """What each product was joined by."""
    found: defaultdict[OwnProduct, dict[Evidence, None]] = defaultdict(dict)
    for one, other, why in links:
        found[one][why] = found[other][why] = None
    return {row.product: tuple(found[row.product]) for row in listings}

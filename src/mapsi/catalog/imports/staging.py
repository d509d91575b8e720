"""Offers of a running import, laid beside the catalogue until all of them are there.

The staging tables are temporary ones of the import's own connection: no reader sees them, and whatever ends the import,
a killed process included, takes them along.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Index, MetaData, String, Table, insert, select
from sqlalchemy.schema import CreateIndex, CreateTable, DropTable

from mapsi.catalog.offer import BrokenRow, Offer, Withdrawal
from mapsi.catalog.store.database import storable
from mapsi.catalog.store.money import LARGEST, minor_to_order, to_minor
from mapsi.catalog.store.sale_prices import first_after, price_at
from mapsi.catalog.store.tables import TABLE_OPTIONS, Id, Listing, OfferRow
from mapsi.catalog.text.class_words import class_keys
from mapsi.catalog.text.colors import ColorReader
from mapsi.catalog.text.identifiers import BrandReader, checked_gtin
from mapsi.catalog.text.offer_classes import OfferClassifier
from mapsi.catalog.text.tokens import searchable
from mapsi.taxonomy import Taxonomy
from mapsi.taxonomy.categories import load_categories
from mapsi.taxonomy.synonyms import load_brands, load_colors

_LISTED = "classes with their lineage"
"""How a listing is written, but for what it is read by."""
CONTENT = (
    *("shop_offer_id", "group_key", "title", "link", "image_source", "price", "sale_price", "lowest_price", "currency"),
    *("availability", "description", "brand", "category", "color", "audience", "seller", "google_category"),
    *("gtin", "mpn", "sale_from", "sale_until", "expires_at", "turns_at", "fingerprint"),
)
"""Columns of ``offers`` that say what the feed says."""
WORDS = ("price_order", "title", "brand", "category", "color", "classes", "colors", "gtin", "maker")
"""Columns of ``listings`` that are made of them; staged as ``listing_...``."""

NEW, CHANGED, SAME, GONE = "new", "changed", "same", "gone"


def _columns_like(table: Any, names: Iterable[str], prefix: str = "") -> list[Column[Any]]:
    return [Column(prefix + name, table.__table__.c[name].type) for name in names if name != "shop_offer_id"]


_metadata = MetaData()
staged = Table(
    "staged_offers",
    _metadata,
    Column("shop_offer_id", String(50), primary_key=True),
    Column("offer_id", Id, nullable=False),  # of a new one: its number among the new ones, until the switch
    Column("kind", String(10), nullable=False),
    Column("shown", Boolean(create_constraint=False)),
    Column("repriced", Boolean(create_constraint=False)),
    Column("new_image", Boolean(create_constraint=False)),
    *_columns_like(OfferRow, CONTENT),
    *_columns_like(Listing, WORDS, "listing_"),
    prefixes=["TEMPORARY"],
    **TABLE_OPTIONS,
)
staged_classes = Table(
    "staged_classes",
    _metadata,
    Column("shop_offer_id", String(50), primary_key=True),
    Column("axis", String(60), primary_key=True),
    Column("slug", String(60), nullable=False),
    prefixes=["TEMPORARY"],
    **TABLE_OPTIONS,
)
_by_offer = Index("staged_offer", staged.c.offer_id)


def create_stage(connection: Connection) -> None:
    """Make the two temporary tables on this connection, in place of those of an earlier delivery."""
    with connection.begin():
        for table in (staged, staged_classes):
            connection.execute(DropTable(table, if_exists=True))
            connection.execute(CreateTable(table))


def index_stage(connection: Connection) -> None:
    """Index what is staged by offer, once it is all there and numbered."""
    connection.execute(CreateIndex(_by_offer))


@dataclass
class Counts:
    """How many offers were staged, by kind. ``returned`` are changed offers that had been gone; ``spared`` living
    ones whose rows cannot be read; ``withdrawn`` those that a feed of changes takes away, ``missing`` its withdrawals
    of what was not there."""

    new: int = 0
    changed: int = 0
    returned: int = 0
    same: int = 0
    spared: int = 0
    withdrawn: int = 0
    missing: int = 0

    @property
    def good(self) -> int:
        """Offers that the feed holds."""
        return self.new + self.changed + self.same

    @property
    def kept(self) -> int:
        """Those of them that were living before."""
        return self.changed - self.returned + self.same + self.spared


class Stage:
    """Puts offers of one shop into the staging tables, batch by batch. Only what is new or changed is looked at
    closely: cutting words and writing them is most of an import's work."""

    def __init__(self, connection: Connection, shop_id: int | None, taxonomy: Taxonomy, now: datetime) -> None:
        self.counts = Counts()
        self.connection = connection
        self.shop_id = shop_id
        self._taxonomy = taxonomy
        self._now = now
        self._classifier = OfferClassifier(taxonomy)
        self._colors = ColorReader(load_colors())
        self._brands = BrandReader(load_brands())
        self._salt = _reading_digest(taxonomy, self._colors)

    @property
    def reading(self) -> str:
        """A digest of the classes and colours that are told apart: where it is another one, so are the listings."""
        return self._salt.hex()

    def put(self, batch: Sequence[Offer]) -> list[BrokenRow]:
        """Stage some offers; gives back those that cannot be kept, with line 0 (only the feed's reader knew it)."""
        with self.connection.begin():
            good, broken = self._sort_out(batch)
            known = self._look_up([offer.id for offer in good])
            rows = [self._row(offer, known.get(offer.id)) for offer in good]
            same = [row for row in rows if row["kind"] == SAME]
            fresh = [row for row in rows if row["kind"] != SAME]
            classes = [entry for row in fresh for entry in row.pop("classes")]
            for table, entries in ((staged, same), (staged, fresh), (staged_classes, classes)):
                if entries:
                    self.connection.execute(insert(table), entries)
        return broken

    def withdraw(self, batch: Sequence[Withdrawal]) -> None:
        """Stage some offers as gone; those that are not there are counted only."""
        if not batch:
            return
        with self.connection.begin():
            ids = list(dict.fromkeys(row.id.strip() for row in batch))
            known, told = self._look_up(ids), self._staged(ids)
            living = [known[id] for id in ids if id in known and known[id].gone_at is None and id not in told]
            rows = [{"shop_offer_id": row.shop_offer_id, "offer_id": row.id, "kind": GONE} for row in living]
            if rows:
                self.connection.execute(insert(staged), rows)
        self.counts.withdrawn += len(rows)
        self.counts.missing += len(batch) - len(rows)

    def spare(self, ids: Sequence[str]) -> set[str]:
        """Keep the living offers among these as they are, except those that are staged: a row that cannot be read does
        not say that its offer is gone. Returns which they are."""
        spared: set[str] = set()
        with self.connection.begin():
            known, told = self._look_up(ids), self._staged(ids)
            living = [known[id] for id in dict.fromkeys(ids) if id in known and known[id].gone_at is None]
            rows = [
                {"shop_offer_id": row.shop_offer_id, "offer_id": row.id, "kind": SAME}
                for row in living
                if row.shop_offer_id not in told
            ]
            if rows:
                self.connection.execute(insert(staged), rows)
            spared.update(str(row["shop_offer_id"]) for row in rows)
        self.counts.spared += len(spared)
        return spared

    def _sort_out(self, batch: Sequence[Offer]) -> tuple[list[Offer], list[BrokenRow]]:
        # MariaDB takes "a" and "a " for one key, whatever the collation of its utf8mb4 texts.
        batch = [offer if offer.id == offer.id.strip() else replace(offer, id=offer.id.strip()) for offer in batch]
        ids = [offer.id for offer in batch]
        seen = self._staged(ids)
        good: list[Offer] = []
        broken: list[BrokenRow] = []
        for offer in batch:
            reason = f"The id {offer.id!r} appeared earlier in the feed." if offer.id in seen else _unfit(offer)
            if reason:
                broken.append(BrokenRow(0, reason, "" if offer.id in seen else offer.id))
            else:
                seen.add(offer.id)
                good.append(offer)
        return good, broken

    def _staged(self, ids: Sequence[str]) -> set[str]:
        query = select(staged.c.shop_offer_id).where(staged.c.shop_offer_id.in_(ids))
        return set(self.connection.scalars(query))

    def _look_up(self, ids: Sequence[str]) -> Mapping[str, Any]:
        if self.shop_id is None:
            return {}
        columns = ("shop_offer_id", "id", "fingerprint", "lowest_price", "currency", "gone_at", "image_source")
        query = select(*(getattr(OfferRow, name) for name in columns)).where(
            OfferRow.shop_id == self.shop_id, OfferRow.shop_offer_id.in_(ids)
        )
        return {row.shop_offer_id: row for row in self.connection.execute(query)}

    def _row(self, offer: Offer, known: Any) -> dict[str, Any]:
        content = _content(offer, self._salt, self._now)
        if known is None:
            self.counts.new += 1
            return self._fresh(content, NEW, self.counts.new, repriced=True, new_image=True)
        if known.fingerprint == content["fingerprint"] and known.gone_at is None:
            self.counts.same += 1
            return {"shop_offer_id": offer.id, "offer_id": known.id, "kind": SAME}
        self.counts.changed += 1
        self.counts.returned += known.gone_at is not None
        repriced = (known.lowest_price, known.currency) != (content["lowest_price"], content["currency"])
        new_image = known.image_source != content["image_source"]
        return self._fresh(content, CHANGED, known.id, repriced=repriced, new_image=new_image)

    def _fresh(self, content: dict[str, Any], kind: str, offer_id: int, **flags: bool) -> dict[str, Any]:
        found = self._classifier.by_words(content["title"], content["category"], content["google_category"])
        title = searchable(content["title"])
        return {
            **content,
            **flags,
            "kind": kind,
            "offer_id": offer_id,
            "shown": content["availability"] != "out_of_stock",
            "listing_price_order": minor_to_order(content["lowest_price"], content["currency"]),
            "listing_title": title,
            "listing_classes": class_keys(found, self._taxonomy),
            "listing_colors": self._colors.keys(content["color"], content["title"]),
            "listing_gtin": content["gtin"] or None,
            "listing_maker": self._brands.maker_number(content["brand"], content["mpn"]) or None,
            **{f"listing_{name}": content[name] for name in ("brand", "category", "color")},
            "classes": [
                {"shop_offer_id": content["shop_offer_id"], "axis": axis, "slug": slug} for axis, slug in found.items()
            ],
        }


def reading_digest(taxonomy: Taxonomy) -> str:
    """See :attr:`Stage.reading`."""
    return _reading_digest(taxonomy, ColorReader(load_colors())).hex()


def _reading_digest(taxonomy: Taxonomy, colors: ColorReader) -> bytes:
    # Other classes, colours or brands to tell apart make another listing of the same offer: that is a change of all.
    told_apart = (_LISTED, taxonomy.axes, load_categories(), colors.families, load_brands())
    return hashlib.blake2b(repr(told_apart).encode(), digest_size=32).digest()


def _unfit(offer: Offer) -> str:
    """Why the tables cannot hold an offer, or nothing."""
    if not 0 < len(offer.id) <= 50:
        return f"The id {offer.id[:60]!r} does not have 1 to 50 characters."
    if not (
        offer.price.is_finite()
        and min(offer.price, offer.sale_price or offer.price) > 0
        and offer.price < LARGEST // 10**5
    ):
        return f"The price {offer.price} of {offer.id!r} makes no sense."
    if len(offer.currency) != 3:
        return f"The currency {offer.currency!r} of {offer.id!r} is not a three-letter code."
    return ""


def _content(offer: Offer, salt: bytes, now: datetime) -> dict[str, Any]:
    sale = offer.sale_price
    content: dict[str, Any] = {
        "shop_offer_id": offer.id,
        "group_key": storable(offer.group, 200) if offer.group else f"={offer.id}",
        "title": storable(offer.title, 500),
        "link": storable(offer.link, 16_000),
        "image_source": storable(offer.image, 16_000),
        "price": to_minor(offer.price, offer.currency),
        "sale_price": None if sale is None else to_minor(sale, offer.currency),
        "currency": offer.currency,
        "availability": offer.availability,
        "description": storable(offer.description, 10_000),
        "brand": storable(offer.brand, 200),
        "category": storable(offer.category, 750),
        "color": storable(offer.color, 200),
        "audience": offer.audience,
        "seller": storable(offer.seller, 200),
        "google_category": storable(offer.google_category, 255),
        "gtin": checked_gtin(offer.gtin),
        "mpn": storable(offer.mpn, 100),
        "sale_from": offer.sale_from,
        "sale_until": offer.sale_until,
        "expires_at": offer.expires_at,
    }
    said = "\x1f".join(map(str, content.values())).encode()
    content["fingerprint"] = hashlib.blake2b(said, digest_size=16, key=salt).digest()
    # What follows from the clock is no change of the feed.
    content["lowest_price"] = to_minor(price_at(offer, now), offer.currency)
    content["turns_at"] = first_after(now, offer.sale_from, offer.sale_until, offer.expires_at)
    return content

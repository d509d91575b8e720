"""Shared lists of products: an address that lasts until its owner removes it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from mapsi.catalog.listings.browsing import load_offers
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.people_tables import ShareRow
from mapsi.errors import MapsiError, NotFoundError, UsageError

TOKEN_BYTES = 16
MOST_PRODUCTS = 100
MOST = 200
"""How many lists one person may share at a time."""


class NotOwnerError(MapsiError):
    """Somebody wants to remove what belongs to somebody else."""

    code = "not_owner"
    http_status = 403


@dataclass(frozen=True, slots=True)
class Owner:
    """Who shares: an account, or a device by the SHA-256 of the secret that its cookie holds."""

    account_id: int | None
    device: str = ""

    @property
    def condition(self) -> ColumnElement[bool]:
        """What is this owner's. A device's rows are its own only until its person logs in."""
        if self.account_id is not None:
            return ShareRow.user_id == self.account_id
        return (ShareRow.device == self.device) & ShareRow.user_id.is_(None) & (ShareRow.device != "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """``offers`` in the order they were shown; ``has_photo`` says whether its owner added the photo."""

    token: str
    owner: Owner
    made_at: datetime
    offers: tuple[int, ...]
    has_photo: bool

    def is_of(self, owner: Owner) -> bool:
        """Whether it is this owner's."""
        if self.owner.account_id is not None:
            return self.owner.account_id == owner.account_id
        return self.owner.device != "" and self.owner.device == owner.device


class Shares:
    """The shared lists of one catalogue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def make(self, owner: Owner, offers: Sequence[int], photo: bytes | None = None) -> str:
        """Share these products, and the photo (a small JPEG) where its owner says so; returns the token, 128 bits that
        nobody can guess. A list that the owner shares already, such as by a form that was sent twice, keeps its token.
        Raises :class:`UsageError` for no products, or where the owner shares ``MOST`` lists
        already."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self._database.write() as connection:
            known = [product.id for product in load_offers(connection, list(dict.fromkeys(offers)))][:MOST_PRODUCTS]
            if not known:
                raise UsageError("There are no products to share.", "Share a list that has some.")
            if same := connection.scalar(select(ShareRow.token).where(owner.condition, *_same(known, photo))):
                return same
            count = connection.scalar(select(func.count()).select_from(ShareRow).where(owner.condition))
            if (count or 0) >= MOST:
                raise UsageError(f"{MOST} lists are already shared.", "Remove one first.")
            values = {
                "token": token,
                "user_id": owner.account_id,
                "device": "" if owner.account_id is not None else owner.device,
                "made_at": self._database.now(),
                "offers": _written(known),
                "photo": photo,
            }
            connection.execute(insert(ShareRow).values(**values))
        return token

    def find(self, token: str) -> Share:
        """The list of a token; raises :class:`NotFoundError`."""
        with self._database.read() as connection:
            row = connection.execute(select(*_COLUMNS).where(ShareRow.token == token)).one_or_none()
        if row is None:
            raise NotFoundError("There is no such shared list.", "Its owner may have removed it.")
        return _share(row)

    def photo(self, token: str) -> bytes:
        """The photo of a shared list, a JPEG; raises :class:`NotFoundError`."""
        with self._database.read() as connection:
            found = connection.scalar(select(ShareRow.photo).where(ShareRow.token == token))
        if not found:
            raise NotFoundError("This list has no photo.", "Its owner shared the products alone.")
        return bytes(found)

    def of(self, owner: Owner) -> list[Share]:
        """What an owner shares, the latest first."""
        latest = select(*_COLUMNS).where(owner.condition).order_by(ShareRow.made_at.desc(), ShareRow.token)
        with self._database.read() as connection:
            return [_share(row) for row in connection.execute(latest)]

    def remove(self, token: str, owner: Owner | None) -> None:
        """Remove a list; ``None`` is the operator, who may remove any. Does nothing for one that is already gone.
        Raises :class:`NotOwnerError` for another one's."""
        with self._database.write() as connection:
            row = connection.execute(select(*_COLUMNS).where(ShareRow.token == token)).one_or_none()
            if row is not None and owner is not None and not _share(row).is_of(owner):
                raise NotOwnerError("Only the person who shared a list can remove it.", "Ask them.")
            connection.execute(delete(ShareRow).where(ShareRow.token == token))

    def adopt(self, device: str, account_id: int) -> None:
        """What a device shared is its person's from now on."""
        with self._database.write() as connection:
            mine = Owner(None, device).condition
            connection.execute(update(ShareRow).where(mine).values(user_id=account_id, device=""))


def _written(offers: Sequence[int]) -> str:
    return " ".join(map(str, offers))


def _same(offers: Sequence[int], photo: bytes | None) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return ShareRow.offers == _written(offers), ShareRow.photo.is_(None) if photo is None else ShareRow.photo == photo


_COLUMNS = (
    ShareRow.token,
    ShareRow.user_id,
    ShareRow.device,
    ShareRow.made_at,
    ShareRow.offers,
    ShareRow.photo.is_not(None).label("has_photo"),
)


def _share(row: Any) -> Share:
    return Share(
        token=row.token,
        owner=Owner(row.user_id, row.device),
        made_at=row.made_at,
        offers=tuple(map(int, row.offers.split())),
        has_photo=bool(row.has_photo),
    )

"""Who keeps what: the saved products of the person who asks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from flask import g
from werkzeug.wrappers import Response

from mapsi.errors import NotFoundError, UsageError
from mapsi.web.saved.device import MOST, read_device, write_device
from mapsi.web.services import services

_KEY = "saved"


class TooManySavedError(UsageError):
    """There is no room for another saved product."""

    code = "too_many_saved"


def saved() -> Mapping[int, datetime]:
    """The saved products of the person who asks, by number of the offer; looked up once a request."""
    if _KEY not in g:
        setattr(g, _KEY, read_device(services().finder.catalog.sources.now()))
    return cast(Mapping[int, datetime], g.get(_KEY))


def is_saved(offer_id: int) -> bool:
    """Whether the person who asks saved this product."""
    return offer_id in saved()


def save(response: Response, offer_id: int) -> None:
    """Save a product; one that is saved stays as it was. Raises :class:`TooManySavedError` where there is no room,
    :class:`NotFoundError` for no offer."""
    catalog = services().finder.catalog
    if is_saved(offer_id):
        return
    if not catalog.saved.known(offer_id):
        raise NotFoundError("There is no such product.", "Search for it again.")
    if len(saved()) >= MOST:
        raise TooManySavedError(f"This device keeps {MOST} saved products at most.", "Take one off the list first.")
    write_device(response, {**saved(), offer_id: catalog.sources.now()})


def unsave(response: Response, offer_id: int) -> None:
    """Take a product off the list; one that is not there is none."""
    write_device(response, {offer: at for offer, at in saved().items() if offer != offer_id})

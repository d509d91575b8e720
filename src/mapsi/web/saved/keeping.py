"""Who keeps what: the saved products of the person who asks, in their account or, without one, on their device."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from flask import g
from werkzeug.wrappers import Response

from mapsi.catalog.people.accounts import Account
from mapsi.errors import NotFoundError, UsageError
from mapsi.web.request.sessions import visitor
from mapsi.web.saved.device import MOST, read_device, write_device
from mapsi.web.state.services import current_services

_KEY = "saved"


class TooManySavedError(UsageError):
    """There is no room for another saved product."""

    code = "too_many_saved"


def saved() -> Mapping[int, datetime]:
    """The saved products of the person who asks, by number of the offer; looked up once a request."""
    if _KEY not in g:
        setattr(g, _KEY, _look_up())
    return cast(Mapping[int, datetime], g.get(_KEY))


def _look_up() -> Mapping[int, datetime]:
    account, catalog = visitor(), current_services().catalog
    return catalog.saved.of(account.id) if account else read_device(catalog.now())


def is_saved(offer_id: int) -> bool:
    """Whether the person who asks saved this product."""
    return offer_id in saved()


def save(response: Response, offer_id: int) -> None:
    """Save a product; one that is saved stays as it was. Raises :class:`TooManySavedError` where there is no room,
    :class:`NotFoundError` for no offer."""
    account, catalog = visitor(), current_services().catalog
    if is_saved(offer_id):
        return
    if not catalog.saved.known(offer_id):
        raise NotFoundError("There is no such product.", "Search for it again.")
    now = catalog.now()
    left = catalog.saved.add(account.id, {offer_id: now}) if account else {}
    if left or (account is None and len(saved()) >= MOST):
        raise TooManySavedError(f"There is room for {len(saved())} saved products.", "Remove one first.")
    if account is None:
        write_device(response, {**saved(), offer_id: now})


def unsave(response: Response, offer_id: int) -> None:
    """Take a product off the list; one that is not there changes nothing."""
    account = visitor()
    if account:
        current_services().catalog.saved.remove(account.id, offer_id)
    else:
        write_device(response, {offer: at for offer, at in saved().items() if offer != offer_id})


def bring_along(response: Response, account: Account) -> None:
    """Move what the device saved into the account of somebody who has just come in; what there is no room for stays."""
    catalog = current_services().catalog
    on_device = read_device(catalog.now())
    if on_device:
        write_device(response, catalog.saved.add(account.id, on_device))

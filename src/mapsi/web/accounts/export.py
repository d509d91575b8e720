"""All that is kept of a person, as one JSON document."""

from __future__ import annotations

from typing import Any

from mapsi.catalog import Catalog
from mapsi.catalog.people.accounts import Account
from mapsi.catalog.people.saved import SavedProduct
from mapsi.catalog.people.shares import Owner, Share


def export_document(catalog: Catalog, account: Account) -> dict[str, Any]:
    """The account, without the hash of its password, and what it saved. Times are ISO 8601, prices text."""
    saved = catalog.saved.look_up(catalog.saved.of(account.id))
    return {
        "account": {
            "email": account.email,
            "language": account.language,
            "created_at": account.created_at.isoformat(),
            "operator": account.is_operator,
            "wants_mail": account.wants_mail,
            "keeps_history": account.keeps_history,
        },
        "shared": [_share_document(one) for one in catalog.shares.of(Owner(account.id))],
        "searches": [
            {"name": one.name, "query": one.query, "made_at": one.made_at.isoformat()}
            for one in catalog.peoples_searches.of(account.id)
        ],
        "history": [
            {"words": one.words, "at": one.at.isoformat()} for one in catalog.peoples_searches.history(account.id)
        ],
        "saved": [_saved_document(one) for one in saved],
    }


def _share_document(share: Share) -> dict[str, Any]:
    made = share.made_at.isoformat()
    return {"token": share.token, "made_at": made, "products": list(share.offers), "with_photo": share.has_photo}


def _saved_document(one: SavedProduct) -> dict[str, Any]:
    return {
        "product": one.product.id,
        "name": one.product.name,
        "shop": one.product.shop_name,
        "link": one.product.link,
        "saved_at": one.saved_at.isoformat(),
        "price_then": None if one.price_then is None else f"{one.price_then:f}",
        "price_now": f"{one.product.lowest_price:f}" if one.shown else None,
        "currency": one.product.currency,
    }

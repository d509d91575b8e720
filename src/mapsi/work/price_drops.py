"""Who is to be told that what they saved has become cheaper."""

from __future__ import annotations

from typing import Any

from mapsi.catalog import Catalog
from mapsi.catalog.people.saved import SavedProduct

MOST = 20
"""How many products one email names, the largest falls in share first."""


def ask_for_emails(catalog: Catalog) -> int:
    """Have an email written to everybody who wants one and whose saved products fell below the price that they were
    saved at and that the last email told; returns how many emails. An email is owed until it has been put into the
    box."""
    count = 0
    for account in catalog.accounts.wanting_mail():
        fallen = catalog.saved.fallen(account.id)
        if fallen and catalog.emails.put("drops", account.email, account.language, _about(fallen)):
            catalog.saved.told(account.id, fallen)
            count += 1
    return count


def _about(fallen: list[SavedProduct]) -> dict[str, Any]:
    most = sorted(fallen, key=lambda one: one.drop / (one.price_then or 1), reverse=True)
    return {
        "count": len(fallen),
        "products": [
            {
                "name": one.product.name,
                "shop": one.product.shop_name,
                "then": str(one.price_then),
                "now": str(one.product.lowest_price),
                "currency": one.product.currency,
            }
            for one in most[:MOST]
        ],
    }

"""A query as a person typed it: a price among its words is its price filter."""

from __future__ import annotations

from dataclasses import replace

from mapsi.catalog.query import Query
from mapsi.catalog.text.price_words import read_price


def say(query: Query, text: str) -> Query:
    """``query`` for the words of a text that a person typed. A price in them counts as if its field had been filled,
    unless it was; words that are to be taken as they stand (``exact``) have none."""
    if query.exact:
        return replace(query, words=text or None)
    said = read_price(text)
    return replace(query, words=said.rest or None, filters=said.narrow(query.filters))

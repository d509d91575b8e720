"""Pages that show a list of products: what their address asks for, the pages of it, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from flask import request

from mapsi.catalog.listings.priced import say
from mapsi.catalog.product import Product, ProductPage
from mapsi.catalog.query import Query
from mapsi.catalog.records import Facets
from mapsi.catalog.text.tokens import NoWordsError
from mapsi.errors import UsageError
from mapsi.web.lists.cards import view_card
from mapsi.web.lists.titles import title_for
from mapsi.web.lists.view import ListPage, ListRequest
from mapsi.web.request.languages import language
from mapsi.web.request.messages import Explanation, explain
from mapsi.web.request.parameters import (
    PRICES,
    Arguments,
    ParameterError,
    check_page,
    read_aside,
    read_first,
    read_query,
    read_words,
)
from mapsi.web.state.services import current_services


def gather(find: Callable[[Query], ProductPage], asked: ListRequest) -> ProductPage:
    """The page asked for, with those above it that are shown as well."""
    query = asked.query
    last = check_page(find(query))
    above = [find(replace(query, page=number)).products for number in range(asked.first or query.page, query.page)]
    return replace(last, products=tuple(chain(*above, last.products)))


def read_asked() -> ListRequest:
    """What the address asks for: a price that cannot be read is left out, with a sentence beside its field. All else
    that is wrong is an error."""
    services = current_services()

    def read(arguments: Arguments, faults: Mapping[str, Explanation]) -> ListRequest:
        query = read_query(
            arguments,
            taxonomy=services.taxonomy,
            shops=services.catalog.listings.shop_slugs,
            size=services.settings.page_size,
        )
        return ListRequest(query, read_first(arguments, query.page), faults)

    try:
        return read(request.args, {})
    except ParameterError as error:
        if error.parameter not in PRICES:
            raise
        rest = Arguments((name, text) for name, text in request.args.items(multi=True) if name not in PRICES)
        return read(rest, {error.parameter: _explain(error.parameter)})


def read_refined() -> ListRequest:
    """The same with what refines a list of what is alike; words that are too many stay in their field."""
    asked = read_asked()
    query = replace(asked.query, less=read_aside(request.args))
    try:
        return replace(asked, query=say(query, read_words(request.args, "words")))
    except ParameterError as error:
        return replace(asked, query=query, faults={**asked.faults, "words": explain_words(error)})


def explain_words(error: UsageError) -> Explanation:
    """Why words cannot be searched for, to be beside their field."""
    code = "no_words" if isinstance(error, NoWordsError) else "too_many_words"
    return explain(code, "q", current_services().settings)


def _explain(parameter: str) -> Explanation:
    return explain(ParameterError.code, parameter, current_services().settings)


def _aside(query: Query) -> list[Product]:
    return current_services().catalog.listings.products(list(query.less)) if query.less else []


def listing(
    endpoint: str,
    values: dict[str, Any],
    asked: ListRequest,
    found: ProductPage,
    facets: Facets,
    kept: Mapping[str, str] | None = None,
) -> ListPage:
    """The list that the page ``endpoint`` shows for ``values`` in its address."""
    services = current_services()
    speech = language()
    return ListPage(
        asked=asked,
        page=found,
        cards=[view_card(product, services.taxonomy, speech) for product in found.products],
        facets=facets,
        shop_names={shop.slug: title_for(shop.name, speech).text for shop in services.catalog.listings.facets().shops},
        taxonomy=services.taxonomy,
        language=speech,
        endpoint=endpoint,
        values=values,
        kept=kept or {},
        typed={name: request.args[name] for name in asked.faults if name in request.args},
        aside=[view_card(product, services.taxonomy, speech) for product in _aside(asked.query)],
    )

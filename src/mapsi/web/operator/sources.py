"""Adding, changing and removing sources from the operator's pages, and having one tried out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import timedelta

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from mapsi.catalog.imports.sources import NewSource
from mapsi.catalog.operations.jobs import Job
from mapsi.catalog.records import SourceRecord, SourceTerms
from mapsi.errors import MapsiError, UsageError
from mapsi.providers import FORMATS
from mapsi.refresh.admitting import admit_source, read_duration
from mapsi.web.request.languages import translate as _
from mapsi.web.state.services import current_services

sources = Blueprint("sources", __name__, url_prefix="/sources")
"""Part of the operator's pages, whose log-in it is behind."""

Form = Mapping[str, str]
EMPTY: Form = {"format": "merchant", "every": "6h", "shrink": "50"}


@sources.get("/new")
def new_source() -> Response:
    """The form for another source."""
    return _form(EMPTY)


@sources.post("")
def add_source() -> AnyResponse:
    """Add a source, and have it fetched. Sent twice, the second time leads to the source that the first one added."""
    catalog = current_services().catalog
    try:
        added = _add(_read(request.form, request.form.get("name", "")))
    except MapsiError as error:
        return _form(request.form, fault=error)
    catalog.jobs.put(Job("refresh", added.name))
    flash(_("%(name)s has been added, and its first refresh is in the queue.", name=added.name))
    return redirect(url_for("operator.source", slug=added.shop), 303)


@sources.get("/<slug>/edit")
def edit_source(slug: str) -> Response:
    """The form with what is set."""
    known = current_services().catalog.sources.find(slug)
    return _form(_written(known), known)


@sources.post("/<slug>/edit")
def change_source(slug: str) -> AnyResponse:
    """Change where a source is, how often it is refreshed and what shoppers call it; its name stays."""
    catalog = current_services().catalog
    known = catalog.sources.find(slug)
    try:
        catalog.sources.change(_read(request.form, known.name, known))
    except MapsiError as error:
        return _form(request.form, known, error)
    flash(_("%(name)s: changed. This applies from the next refresh on.", name=known.name))
    return redirect(url_for("operator.source", slug=slug), 303)


@sources.post("/<slug>/remove")
def remove_source(slug: str) -> AnyResponse:
    """Remove a source; its offers are gone at once."""
    removed, gone = current_services().catalog.sources.remove(slug)
    flash(_("%(name)s has been removed, with its %(count)d offers.", name=removed.name, count=gone))
    return redirect(url_for("operator.overview"), 303)


@sources.post("/<slug>/preview")
def preview_source(slug: str) -> AnyResponse:
    """Have a worker find out what a refresh would change, changing nothing."""
    catalog = current_services().catalog
    catalog.jobs.put(Job("preview", catalog.sources.find(slug).name))
    flash(_("The dry run is in the queue; its result will appear here."))
    return redirect(url_for("operator.source", slug=slug), 303)


def _add(new: NewSource) -> SourceRecord:
    """``new`` as it is kept; raises ``UsageError`` where another source has its name."""
    known = current_services().catalog.sources
    try:
        return known.add(new)
    except UsageError:
        kept = next((one for one in known.all() if _is_same(one, new)), None)
        if kept is None:
            raise
        return kept


def _is_same(kept: SourceRecord, new: NewSource) -> bool:
    name = new.name.strip()
    whole = replace(new, name=name, shop_name=new.shop_name.strip() or name)
    return all(getattr(kept, term.name) == getattr(whole, term.name) for term in fields(SourceTerms))


def _read(form: Form, name: str, known: SourceRecord | None = None) -> NewSource:
    """A source as it was filled in; raises ``UsageError`` where something does not fit. An address only, but for the
    path that a source has already: from the command line one may name files of this machine, from a page not."""
    at = form.get("at", "").strip()
    if "://" not in at and (known is None or at != known.address):
        raise UsageError(
            f"{at[:60]!r} is not an address.", "Give one with https://; paths are named on the command line."
        )
    try:
        shrink = float(form.get("shrink", "")) / 100
    except ValueError as error:
        raise UsageError(
            "The share that may disappear at once is not a number.", "Give percent, such as 50."
        ) from error
    return admit_source(
        name,
        format=form.get("format", ""),
        at=at,
        every=_duration(form.get("every", "")),
        time_to_live=_duration(form.get("time_to_live", "")),
        shrink=shrink,
        shop_name=form.get("shop_name", ""),
    )


def _formats() -> list[tuple[str, str]]:
    """The formats with what they are called where shops give them out."""
    names = {
        "merchant": _("Google Merchant feed"),
        "naver-ep": _("Naver Shopping EP 3.0"),
        "shop-json": _("Naver Open API (shop.json)"),
        "csv": _("a table of your own (CSV)"),
    }
    return [(one, names.get(one, one)) for one in FORMATS]


def _duration(text: str) -> timedelta | None:
    return read_duration(text) if text.strip() else None


def _written(known: SourceRecord) -> Form:
    return {
        "name": known.name,
        "format": known.format,
        "at": known.address,
        "every": _told(known.every),
        "time_to_live": _told(known.time_to_live),
        "shrink": f"{known.shrink * 100:g}",
        "shop_name": known.shop_name,
    }


def _told(duration: timedelta | None) -> str:
    """``6h``; in the largest unit that it is a whole number of."""
    seconds = 0 if duration is None else round(duration.total_seconds())
    unit, length = next((one for one in (("d", 86400), ("h", 3600), ("m", 60)) if seconds % one[1] == 0), ("s", 1))
    return f"{seconds // length}{unit}" if seconds else ""


def _form(form: Form, known: SourceRecord | None = None, fault: MapsiError | None = None) -> Response:
    page = render_template("operator/source_form.html", form=form, known=known, fault=fault, formats=_formats())
    return make_response(page, 400 if fault else 200)

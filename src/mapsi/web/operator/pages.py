"""The operator's views. Nothing here answers anyone who is not logged in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import Blueprint, Response, flash, g, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from mapsi.catalog import Catalog
from mapsi.catalog.operations.jobs import Job, JobKind
from mapsi.catalog.records import SourceRecord
from mapsi.documents import error_document
from mapsi.errors import MapsiError, NotFoundError
from mapsi.web.operator.joins import joins
from mapsi.web.operator.live import live_document
from mapsi.web.operator.overview import view_overview, view_sources
from mapsi.web.operator.reasons import in_words
from mapsi.web.operator.runs import view_run
from mapsi.web.operator.sources import sources
from mapsi.web.operator.walls import walls
from mapsi.web.operator.work import view_work
from mapsi.web.request.languages import format_price, language
from mapsi.web.request.languages import translate as _
from mapsi.web.request.onward import here
from mapsi.web.request.security import keep_private
from mapsi.web.request.sessions import present
from mapsi.web.request.times import TimeView, view_duration, view_time
from mapsi.web.state.services import current_services

RUNS_SHOWN = 50
BY_SCRIPT = "Mapsi-Live"
"""Header of what an open page asks for by itself."""

operator = Blueprint(
    "operator",
    __name__,
    url_prefix="/operator",
    template_folder="templates",
    static_folder="static",
    static_url_path="/assets",
)
operator.add_app_template_global(in_words)
operator.register_blueprint(sources)
operator.register_blueprint(walls)
operator.register_blueprint(joins)
STATIC = "operator.static"


class NotOperatorError(MapsiError):
    """Somebody is logged in who is not an operator."""

    code = "not_operator"
    http_status = 403


@operator.before_request
def let_in_operators() -> AnyResponse | None:
    """Send everybody else to the log-in; a script gets JSON. Style sheets are for everybody."""
    if request.endpoint == STATIC:
        return None
    by_script = BY_SCRIPT in request.headers
    g.operator = present(awake=not by_script)
    if g.operator is not None and g.operator.is_operator:
        return None
    if g.operator is not None:
        raise NotOperatorError("These pages are for operators.", "Log in as one.")
    if by_script or request.endpoint == "operator.live":
        return make_response(jsonify(error_document("not_logged_in", "Nobody is logged in.", "Log in again.")), 401)
    onward = here() if request.method in ("GET", "HEAD") else url_for("operator.overview")
    return redirect(url_for("entrance.login", next=onward), 303)


@operator.after_request
def keep_pages_private(response: Response) -> Response:
    """No cache keeps what only operators see."""
    return response if request.endpoint == STATIC else keep_private(response)


@operator.errorhandler(NotFoundError)
def removed(_error: NotFoundError) -> Response:
    """What was there a moment ago may have been removed in another window, or by the same form sent before."""
    return make_response(render_template("operator/removed.html"), NotFoundError.http_status)


@operator.get("")
def overview() -> str:
    """Everything at a glance."""
    services = current_services()
    version = live_document(services.catalog)["version"]  # first: what changes meanwhile loads the page again
    return render_template("operator/overview.html", view=view_overview(services), version=version)


@operator.get("/live")
def live() -> Response:
    """What changes, for the page's script."""
    return jsonify(live_document(current_services().catalog))


@operator.get("/sources/<slug>")
def source(slug: str) -> str:
    """One source: its settings, how it is doing, and the log of its runs."""
    services = current_services()
    catalog = services.catalog
    version, now = live_document(catalog)["version"], catalog.now()
    view = next((one for one in view_sources(services, catalog.status(), now) if one.slug == slug), None)
    if view is None:
        raise NotFoundError("There is no such source.", "Go back to the overview.")
    record = None if view.by_hand else catalog.sources.find(slug)
    return render_template(
        "operator/source.html",
        version=version,
        source=view,
        record=record,
        tried=_view_preview(catalog, record, now) if record else None,
        added=view_time(record.added_at, now) if record else None,
        duration=view_duration,
        price=_told_price,
        runs=[view_run(run, now) for run in catalog.runs.latest(slug, RUNS_SHOWN)],
        work=view_work(catalog, now),
    )


def _told_price(amount: str, currency: str) -> str:
    return format_price(Decimal(amount), currency, language())


@dataclass(frozen=True, slots=True)
class PreviewView:
    """A dry run as it is shown."""

    at: TimeView
    previews: Sequence[Mapping[str, Any]]


def _view_preview(catalog: Catalog, record: SourceRecord, now: datetime) -> PreviewView | None:
    kept = catalog.previews.latest(record)
    return PreviewView(view_time(kept.at, now), kept.previews) if kept else None


@operator.get("/runs/<int:run_id>")
def run(run_id: int) -> str:
    """One run, with the rows that were skipped."""
    catalog = current_services().catalog
    found = catalog.runs.find(run_id)
    known = {one.shop: one.name for one in catalog.sources.all()}
    return render_template(
        "operator/run.html", run=view_run(found, catalog.now()), name=known.get(found.shop, found.shop)
    )


@operator.post("/sources/<slug>/refresh")
def refresh(slug: str) -> AnyResponse:
    """Put a refresh of the source into the queue."""
    return _put("refresh", current_services().catalog.sources.find(slug))


@operator.post("/sources/<slug>/accept")
def accept(slug: str) -> AnyResponse:
    """Put a refresh into the queue that takes the feed though it was held back, if that is still the latest run: nobody
    accepts what they have not seen."""
    catalog = current_services().catalog
    asked = catalog.sources.find(slug)
    last = next(iter(catalog.runs.latest(slug, 1)), None)
    if last is None or last.state != "held" or str(last.id) != request.form.get("run"):
        flash(_("%(name)s: there has been another run in the meantime. Look again.", name=asked.name))
        return redirect(url_for("operator.overview"), 303)
    return _put("accept", asked)


@operator.post("/index")
def index() -> AnyResponse:
    """Have pictures and index brought up to date."""
    return _put("index")


def _put(kind: JobKind, asked: SourceRecord | None = None) -> AnyResponse:
    jobs = current_services().catalog.jobs
    jobs.put(Job(kind, asked.name if asked else ""))
    name = asked.name if asked else _("Pictures and index")
    flash(_("%(name)s: it is in the queue.", name=name))
    return redirect(url_for("operator.overview"), 303)

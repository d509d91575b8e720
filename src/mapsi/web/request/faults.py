"""Errors on their way out: every one becomes a sentence, as a page for a person and as JSON for a program."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import BadRequest, HTTPException

from mapsi.documents import error_document
from mapsi.errors import IndexUnavailableError, MapsiError, NotBuiltYetError
from mapsi.web.request.languages import page_without
from mapsi.web.request.messages import explain
from mapsi.web.request.parameters import ParameterError
from mapsi.web.request.security import keep_private
from mapsi.web.state.services import current_services

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fault:
    """An error as it is told outside: its HTTP status, its code, and the English sentences of the API."""

    status: int
    code: str
    message: str
    hint: str
    parameter: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


_HTTP_CODES = {
    404: ("not_found", "There is nothing at this address.", "See /api/v1/openapi.json for the addresses there are."),
    405: ("method_not_allowed", "This address does not allow this method.", "See /api/v1/openapi.json."),
    413: ("photo_too_large", "The request is larger than the service accepts.", "Send a smaller photo."),
    429: ("too_many_requests", "Too many searches in a short time.", "Wait a moment and try again."),
}

_ABOUT_PHOTOS = frozenset(
    (
        *("photo_missing", "not_multipart", "unreadable_photo", "not_a_photo", "photo_too_large", "photo_expired"),
        *("address_refused", "address_failed", "no_picture"),
    )
)
"""Errors that another photo would fix, so that their page asks for one."""


_ONWARD = {"link_over": "keys.forgotten", "no_stop_link": "account.home"}
"""Errors whose sentence says what to do next, and the page where it is done."""

_OWN_PAGES = ("account", "account.searches", "entrance", "keys")
"""Where a form that is out of date was one of a person's account: there, what has been done is seen."""


def setup_faults(app: Flask) -> None:
    """Answer every error in the form that the asker reads."""

    @app.errorhandler(MapsiError)
    def told(error: MapsiError) -> Response:
        return _answer(from_mapsi(error))

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        return _answer(_from_http(error))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        _log.exception("%s %s failed", request.method, request.path, exc_info=error)
        return _answer(Fault(500, "internal", "Something went wrong here.", "Try again in a moment."))


def from_mapsi(error: MapsiError) -> Fault:
    """What is said about an error of ours. The sentences of those that are the service's own trouble may name folders
    of this machine: they go to the log."""
    if error.http_status >= 500:
        cause = getattr(error.__cause__, "orig", None) or error.__cause__ or "no other cause"
        _log.error("%s %s: %s (%s)", request.method, request.path, error, cause)
        if isinstance(error, IndexUnavailableError | NotBuiltYetError):
            return Fault(error.http_status, error.code, error.message, error.hint)
        return Fault(error.http_status, error.code, "The service cannot answer now.", "Its log says why.")
    parameter = error.parameter if isinstance(error, ParameterError) else ""
    return Fault(error.http_status, error.code, error.message, error.hint, parameter)


def _from_http(error: HTTPException) -> Fault:
    status = error.code or 500
    kept = ("Allow", "Retry-After", "Location")
    headers = {name: value for name, value in error.get_headers() if name in kept}
    if isinstance(error, CSRFError):
        return Fault(status, "form_expired", "The form's token is missing or too old.", "Load the page again.")
    generic = ("bad_request", "The request cannot be understood.", "See /api/v1/openapi.json.")
    if status >= 500:
        generic = ("internal", "Something went wrong here.", "Try again in a moment.")
    return Fault(status, *_HTTP_CODES.get(status, generic), headers=headers)


def _answer(fault: Fault) -> Response:
    """The whole answer; a redirect that the router asks for passes as it is."""
    if 300 <= fault.status < 400:
        return Response(status=fault.status, headers=dict(fault.headers))
    response = make_response(_body(fault), fault.status)
    response.headers.update(fault.headers)
    return keep_private(response)


def _body(fault: Fault) -> Response | str:
    if request.path.startswith("/api/") or request.path == "/healthz":
        return jsonify(error_document(fault.code, fault.message, fault.hint))
    about_words = fault.code == "index_unavailable" and request.blueprint != "photos"
    code = "words_unavailable" if about_words else fault.code
    explanation = explain(code, fault.parameter, current_services().settings)
    if isinstance(request.routing_exception, BadRequest):  # a Host that is none: no page can say where it leads
        return Response(f"{explanation.message}\n", mimetype="text/plain")
    if prefers_json():
        return jsonify(error_document(fault.code, explanation.message, explanation.hint))
    about_photo = fault.code in _ABOUT_PHOTOS
    mended = page_without(fault.parameter) if fault.parameter and request.method == "GET" else ""
    onward = _ONWARD.get(fault.code, "")
    if fault.code == "form_expired" and request.blueprint in _OWN_PAGES:
        onward = "account.home"
    return render_template("error.html", explanation=explanation, about_photo=about_photo, mended=mended, onward=onward)


def prefers_json() -> bool:
    """Whether the asker, our own script, would rather have JSON than a page."""
    return request.accept_mimetypes.best == "application/json"

"""The review's application: every address lies under a random token, which nobody else on the machine knows.

A foreign page can neither read nor forge what it cannot address; requests for another host or from another origin are
refused all the same. There is no log-in, no session, and no cookie but the language's.
"""

from __future__ import annotations

import hmac
from pathlib import Path

from flask import Flask, Response, abort, g, jsonify, make_response, request
from werkzeug.exceptions import HTTPException

from mapsi.collect.review.session import Review
from mapsi.errors import MapsiError
from mapsi.imaging import PhotoLimits
from mapsi.settings import Settings
from mapsi.web.request.assets import setup_assets
from mapsi.web.request.languages import language, setup_languages, switch_url
from mapsi.web.request.security import setup_security
from mapsi.web.review.pages import pages
from mapsi.web.review.services import ReviewServices, attach, current_services

HOSTS = frozenset({"127.0.0.1", "localhost"})
LARGEST_REQUEST = 16 * 1024


def create_review_app(settings: Settings, review: Review, folder: Path, token: str) -> Flask:
    """The pages over ``review`` and the photos of ``folder``, all under ``/TOKEN/``."""
    app = Flask("mapsi.web")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    setup_security(app, settings, token)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    setup_languages(app, settings.language)
    setup_assets(app)
    app.before_request(_refuse_strangers)
    app.register_error_handler(MapsiError, _told)
    app.register_error_handler(HTTPException, _refused)
    app.register_blueprint(pages, url_prefix="/<token>")
    app.jinja_env.globals.update(language=language, switch_url=switch_url)
    attach(app, ReviewServices(review, folder, token, PhotoLimits.of(settings)))
    return app


def _refuse_strangers() -> None:
    """Let in who knows the token and asks for this machine by its own name, from no other site."""
    if request.host.partition(":")[0] not in HOSTS:
        abort(403)
    if request.endpoint == "static":
        return
    if not hmac.compare_digest(g.get("token", "").encode(), current_services().token.encode()):
        abort(404)
    if request.method == "POST" and _comes_from_elsewhere():
        abort(403)


def _comes_from_elsewhere() -> bool:
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site", "same-origin")
    return site != "same-origin" or (origin is not None and origin != f"http://{request.host}")


def _told(error: MapsiError) -> Response:
    document = {"code": error.code, "message": error.message, "hint": error.hint}
    return make_response(jsonify(error=document), error.http_status)


def _refused(error: HTTPException) -> Response:
    answer = error.get_response()
    answer.data = f"{error.code} {error.name}\n".encode()
    answer.mimetype = "text/plain"
    return make_response(answer)

"""Style sheets, scripts and icons: addresses that change with the content, kept by browsers for a year."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for

ENDPOINTS = ("static", "operator.static")
_DIGITS = 12
_ONE_RANGE = re.compile(r"\s*bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-[0-9]{1,18})\s*")


def setup_assets(app: Flask) -> None:
    """Give templates ``asset_url`` and set caching on what it points at."""
    app.jinja_env.globals["asset_url"] = asset_url

    @app.before_request
    def pass_over_other_ranges() -> None:
        """A part that nobody can read, or several at once, is answered with the whole (RFC 9110, 14.2)."""
        if not _is_one_range(request.headers.get("Range", "bytes=0-")):
            del request.environ["HTTP_RANGE"]

    @app.after_request
    def keep(response: Response) -> Response:
        if request.endpoint in ENDPOINTS and response.status_code == 200 and "v" in request.args:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _is_one_range(asked: str) -> bool:
    match = _ONE_RANGE.fullmatch(asked)
    return match is not None and (not match[2] or int(match[1]) <= int(match[2]))


def asset_url(filename: str, endpoint: str = "static") -> str:
    """The address of a static file, with a digest of its content."""
    blueprint = current_app.blueprints.get(endpoint.rpartition(".")[0])
    folder = (blueprint or current_app).static_folder
    return url_for(endpoint, filename=filename, v=_file_version(f"{folder}/{filename}"))


@lru_cache(maxsize=64)
def _file_version(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:_DIGITS]

"""Style sheets, scripts and icons: addresses that change with the content, kept by browsers for a year."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for

ENDPOINTS = ("static", "operator.static")
_DIGITS = 12


def setup_assets(app: Flask) -> None:
    """Give templates ``asset_url`` and set caching on what it points at."""
    app.jinja_env.globals["asset_url"] = asset_url

    @app.after_request
    def keep(response: Response) -> Response:
        if request.endpoint in ENDPOINTS and response.status_code == 200 and "v" in request.args:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def asset_url(filename: str, endpoint: str = "static") -> str:
    """The address of a static file, with a digest of its content."""
    blueprint = current_app.blueprints.get(endpoint.rpartition(".")[0])
    folder = (blueprint or current_app).static_folder
    return url_for(endpoint, filename=filename, v=_file_version(f"{folder}/{filename}"))


@lru_cache(maxsize=64)
def _file_version(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:_DIGITS]

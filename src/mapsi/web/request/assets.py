"""Style sheets, scripts and icons: addresses that change with the content, kept by browsers for a year, sent
compressed.

Only these files are compressed: a page that carries a form token beside words from its address would give the token
away by its length (BREACH).
"""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for

ENDPOINTS = ("static", "operator.static")
_DIGITS = 12
_TEXT = ("text/css", "text/javascript", "application/javascript", "image/svg+xml")
_LEAST = 1024
"""Bytes below which compression gains nothing."""


def setup_assets(app: Flask) -> None:
    """Give templates ``asset_url`` and set caching and compression on what it points at."""
    app.jinja_env.globals["asset_url"] = asset_url

    @app.after_request
    def cache_and_compress(response: Response) -> Response:
        if request.endpoint not in ENDPOINTS or response.status_code != 200:
            return response
        if "v" in request.args:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return _compress(response)


def asset_url(filename: str, endpoint: str = "static") -> str:
    """The address of a static file, with a digest of its content."""
    blueprint = current_app.blueprints.get(endpoint.rpartition(".")[0])
    folder = (blueprint or current_app).static_folder
    return url_for(endpoint, filename=filename, v=_file_version(f"{folder}/{filename}"))


@lru_cache(maxsize=64)
def _file_version(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:_DIGITS]


def _compress(response: Response) -> Response:
    response.vary.add("Accept-Encoding")
    if response.mimetype not in _TEXT or not request.accept_encodings["gzip"]:
        return response
    response.direct_passthrough = False
    data = response.get_data()
    if len(data) < _LEAST or request.method == "HEAD":
        return response
    etag, _weak = response.get_etag()
    response.set_data(_squeeze(data))
    response.headers["Content-Encoding"] = "gzip"
    if etag:
        response.set_etag(etag, weak=True)
    return response


@lru_cache(maxsize=64)
def _squeeze(data: bytes) -> bytes:
    return gzip.compress(data, 9, mtime=0)

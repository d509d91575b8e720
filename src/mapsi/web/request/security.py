"""Headers on every answer, and what the application believes of the headers that reach it."""

from __future__ import annotations

from flask import Flask, Response, g

from mapsi.catalog.people.sessions import LIFE
from mapsi.settings import Settings
from mapsi.web.request.clients import believe_proxies

OWN_PICTURES = "img-src 'self' blob: data:"

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        OWN_PICTURES,
        "connect-src 'self'",
        "form-action 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""No inline script or style. ``blob:`` shows the chosen photo before it is sent; ``data:`` are Bootstrap's own
icons."""

HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # The address of an answer holds its token: it must not travel to the shops. CSRF checks over TLS need it at home.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}

_OUTSIDE = "shop_pictures"
ONE_YEAR = "max-age=31536000"
MULTIPART_OVERHEAD = 64 * 1024
"""Bytes that a form may need around the photo itself: boundaries, part headers, the CSRF token."""


def setup_security(app: Flask, settings: Settings, secret_key: str) -> None:
    """Sign sessions, bound request bodies, set headers, and believe as many proxies as the settings say."""
    app.config.update(
        SECRET_KEY=secret_key,
        SESSION_COOKIE_NAME="mapsi",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # A log-in outlives the browser; only pages touch its cookie, not every picture.
        PERMANENT_SESSION_LIFETIME=LIFE,
        SESSION_REFRESH_EACH_REQUEST=False,
        SESSION_COOKIE_SECURE=settings.behind_tls,
        MAX_CONTENT_LENGTH=settings.photo_bytes + MULTIPART_OVERHEAD,
        MAX_FORM_PARTS=16,
    )
    believe_proxies(app, settings.trusted_proxies)

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if g.get(_OUTSIDE, False):
            policy = CONTENT_POLICY.replace(OWN_PICTURES, f"{OWN_PICTURES} https:")
            response.headers["Content-Security-Policy"] = policy
        if response.mimetype == "text/html":
            response.headers.setdefault("Cache-Control", "private, no-cache")
        if settings.behind_tls:
            response.headers.setdefault("Strict-Transport-Security", ONE_YEAR)
        return response


def let_in_shop_pictures() -> None:
    """Let the page of this request show pictures that lie at their shops, over https."""
    setattr(g, _OUTSIDE, True)


def keep_private(response: Response) -> Response:
    """Mark an answer about somebody's photo: no cache keeps it, no search engine lists it."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response

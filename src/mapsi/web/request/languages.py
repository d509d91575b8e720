"""Which language a person reads, and prices written in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import cast
from urllib.parse import urlencode

from babel.numbers import format_currency, format_decimal, get_currency_precision
from flask import Flask, Request, Response, current_app, request, url_for
from flask_babel import Babel, get_locale, gettext
from werkzeug.wrappers import Response as AnyResponse

LANGUAGES = ("ko", "en")
CHOSEN = COOKIE = "lang"
"""What a person chose, in an address and from then on."""

HINT = "in"
"""What the email is written in that an address stands in: it speaks for a browser in which nothing was chosen."""

_YEAR = 365 * 24 * 3600


def choose_language(asked: Request, default: str) -> str:
    """The language in the address, else in the cookie, else of the email that led here, else in the browser's wishes,
    else ``default``."""
    for wish in (asked.args.get(CHOSEN), asked.cookies.get(COOKIE), asked.args.get(HINT)):
        if wish in LANGUAGES:
            return wish
    return asked.accept_languages.best_match(LANGUAGES) or default


def language() -> str:
    """The language of the answer to the current request: ``ko`` or ``en``."""
    return cast(str, get_locale().language)


def translate(message: str, **values: object) -> str:
    """``message``, a text of the catalogues, in the language of the current request, with ``%(name)s`` filled in."""
    return str(gettext(message, **values))


def spoken(names: Mapping[str, Callable[[], str]], slug: str) -> str:
    """What ``slug`` is called in the language of the current request; ``slug`` itself where it has no name."""
    return names[slug]() if slug in names else slug


def setup_languages(app: Flask, default: str) -> None:
    """Let every page speak the person's language, and remember the one asked for in the address."""
    Babel(app, default_locale=default, locale_selector=lambda: choose_language(request, default))

    @app.after_request
    def remember(response: Response) -> Response:
        asked = request.args.get(CHOSEN) or (not has_chosen() and request.args.get(HINT))
        if asked in LANGUAGES and not request.path.startswith("/api/"):
            keep_language(response, asked)
        if response.mimetype == "text/html":
            response.vary.update(("Accept-Language", "Cookie"))
            response.headers["Content-Language"] = language()
        return response


def has_chosen() -> bool:
    """Whether the person chose a language, now or before, in the browser that asks."""
    return request.args.get(CHOSEN) in LANGUAGES or request.cookies.get(COOKIE) in LANGUAGES


def keep_language(response: AnyResponse, wished: str) -> None:
    """Have the browser remember the language that its person reads."""
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(COOKIE, wished, max_age=_YEAR, secure=secure, httponly=True, samesite="Lax")


def switch_url(target: str) -> str:
    """The current page in the language ``target``; the front page where the current one cannot be asked for again.

    The address is built from the route, never from the path that came in: ``//evil.example/`` would lead elsewhere.
    """
    if request.endpoint is None or request.method not in ("GET", "HEAD") or request.routing_exception is not None:
        return url_for("pages.home", lang=target)
    return page_without("lang", ("lang", target))


def page_without(parameter: str, *instead: tuple[str, str]) -> str:
    """The current page without a parameter of its address, or with others in its place."""
    # Beside the route, not through url_for: it would take names such as _scheme from the address as its own.
    asked = [(name, value) for name, value in request.args.items(multi=True) if name != parameter]
    return f"{url_for(str(request.endpoint), **(request.view_args or {}))}?{urlencode([*asked, *instead])}"


def is_amount(price: Decimal, currency: str) -> bool:
    """Whether a currency has such an amount: 49.99 is none of won."""
    return bool(price.scaleb(get_currency_precision(currency)) % 1 == 0)


def format_price(price: Decimal, currency: str, language: str) -> str:
    """``29,000원`` in Korean, ``₩29,000`` in English; other currencies as the language writes them."""
    if language == "ko" and currency == "KRW":
        return f"{format_decimal(price.quantize(Decimal(1)), locale='ko')}원"
    return format_currency(price, currency, locale=language)

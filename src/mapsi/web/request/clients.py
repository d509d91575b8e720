"""Who asks: the client behind trusted proxies, and the name under which limits count it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PREFIX_BITS = 64
"""What one household or one server is given of IPv6: its addresses are one client (RFC 6177)."""

_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.%\w]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+")
_SOUND = {
    "HTTP_X_FORWARDED_HOST": re.compile(r"[\w.-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?", re.ASCII),
    "HTTP_X_FORWARDED_PREFIX": re.compile(r"(?:/[\w~-][\w.~-]*)+", re.ASCII),
    "HTTP_X_FORWARDED_PROTO": re.compile(r"https?"),
}


def believe_proxies(app: Flask, near: int) -> None:
    """Believe what the ``near`` proxies in front say of the client's address, the scheme, the host and the path they
    serve us under. Anything that is not a host, scheme or path, say because a proxy passed on a stranger's header, is
    left out."""
    if near:
        fixed = ProxyFix(_without_prefix(app.wsgi_app), x_for=near, x_proto=near, x_host=near, x_prefix=near)
        app.wsgi_app = _without_unsound(fixed)  # type: ignore[method-assign, assignment]


def _without_prefix(app: WSGIApplication) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """Some proxies leave the path that they serve us under in the addresses that they ask for, others take it off."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        prefix, path = environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")
        if prefix and f"{path}/".startswith(f"{prefix}/"):
            environ["PATH_INFO"] = path.removeprefix(prefix) or "/"
        return app(environ, start_response)

    return call


def _without_unsound(app: WSGIApplication) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        for name, sound in _SOUND.items():
            said = environ.get(name, "")
            if said and not all(sound.fullmatch(part.strip()) for part in said.split(",")):
                del environ[name]
        return app(environ, start_response)

    return call


def current_client() -> str:
    """The client of the request being answered, as :func:`client_of` names it."""
    return client_of(request.remote_addr or "")


def client_of(address: str) -> str:
    """The client that an address stands for: without the port that some proxies add, an IPv6 address as its /64.

    ``203.0.113.9:40001`` is ``203.0.113.9``; ``[2001:db8::1]:443`` is ``2001:db8::/64``. Anything that is not an
    address counts as one client.
    """
    matched = _WITH_PORT.fullmatch(address.strip())
    bare = (matched[1] or matched[2]) if matched else address.strip()
    try:
        known = ip_address(bare)
    except ValueError:
        return "unknown"
    if isinstance(known, IPv6Address):
        if known.ipv4_mapped:
            return str(known.ipv4_mapped)
        return str(ip_network((int(known) >> _PREFIX_BITS << _PREFIX_BITS, _PREFIX_BITS)))
    return str(known)

"""The picture behind an address that somebody pasted: the picture itself, or the one that a shop's page says is its
own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

from mapsi.errors import RefusedAddressError, RemoteError, UsageError
from mapsi.remote import Fetcher
from mapsi.remote.content import looks_like_html
from mapsi.settings import Settings

SECONDS = 10
"""How long an address may take: somebody waits."""
_META = ("og:image:secure_url", "og:image", "twitter:image")
_NESTED = 6
"""How deep a picture may be in JSON-LD."""


class AddressFailedError(UsageError):
    """Nothing usable is at the address, or it did not answer in time."""

    code = "address_failed"
    http_status = 422


class NoPictureError(UsageError):
    """The page at the address names no picture as its own."""

    code = "no_picture"
    http_status = 422


def fetch_picture(fetcher: Fetcher, address: str, settings: Settings) -> bytes:
    """The bytes of the picture at ``address``, or of the first that the page there names (JSON-LD of a product, then
    ``og:image``), at most ``photo_bytes``. Typed without a scheme, an address is an https one.

    Raises :class:`RefusedAddressError`, :class:`AddressFailedError` or :class:`NoPictureError`.
    """
    url, data = _fetch(fetcher, address if "://" in address else f"https://{address}", settings)
    if not looks_like_html(data[:1024]):
        return data
    named = next(find_pictures(data.decode("utf-8", "replace"), url), None)
    if named is None:
        raise NoPictureError("The page names no picture as its own.", "Copy the address of the picture itself.")
    return _fetch(fetcher, named, settings)[1]


def _fetch(fetcher: Fetcher, address: str, settings: Settings) -> tuple[str, bytes]:
    try:
        fetched = fetcher.fetch(address, max_bytes=settings.photo_bytes, seconds=min(SECONDS, settings.fetch_seconds))
    except RefusedAddressError:
        raise
    except RemoteError as error:
        raise AddressFailedError("The address did not give a picture.", "Save the picture and choose it.") from error
    return fetched.url, fetched.data


def find_pictures(page: str, url: str) -> Iterator[str]:
    """The addresses of the pictures that an HTML page at ``url`` names as its own, the product's first."""
    reader = _Head()
    reader.feed(page)
    reader.close()
    named = [*reader.products(), *(reader.meta[name] for name in _META if name in reader.meta), *reader.links]
    for address in named:
        with suppress(ValueError):  # no address: //[
            if address.strip():
                yield urljoin(url, address.strip())


class _Head(HTMLParser):
    """What a page says of itself, wherever it says it."""

    def __init__(self) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.links: list[str] = []
        self._scripts: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "meta":
            self.meta.setdefault(told.get("property") or told.get("name", ""), told.get("content", ""))
        elif tag == "link" and told.get("rel", "").lower() == "image_src":
            self.links.append(told.get("href", ""))
        self._in_script = tag == "script" and told.get("type", "").lower() == "application/ld+json"
        if self._in_script:
            self._scripts.append("")

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self._scripts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def products(self) -> Iterator[str]:
        """Pictures of products in JSON-LD."""
        for script in self._scripts:
            try:
                document = json.loads(script)
            except (ValueError, RecursionError):
                continue
            yield from _pictures(document, _NESTED)


def _pictures(node: Any, depth: int) -> Iterator[str]:
    """``{"@type": "Product", "image": ["https://...", {"url": "..."}]}``, at any place of a graph."""
    if not depth:
        return
    if isinstance(node, list):
        for one in node:
            yield from _pictures(one, depth - 1)
    elif isinstance(node, dict):
        kinds = node.get("@type")
        if "Product" in (kinds if isinstance(kinds, list) else [kinds]):
            yield from _addresses(node.get("image"))
        for one in node.values():
            yield from _pictures(one, depth - 1)


def _addresses(image: Any) -> Iterator[str]:
    for one in image if isinstance(image, list) else [image]:
        address = (one.get("url") or one.get("contentUrl")) if isinstance(one, dict) else one
        if isinstance(address, str):
            yield address

"""Openverse: openly licensed photos from many archives, with creator and licence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mapsi.collect.faults import ContactMissingError, SourceChanged, SourceFault, SourceRefused
from mapsi.collect.source import Found, Query
from mapsi.collect.sources.api import Asking, Busy, JsonApi
from mapsi.collect.sources.commons import as_thumbnail
from mapsi.collect.sources.entries import address_of, entries, pixels, plain_text, stream
from mapsi.collect.sources.parts import SourceParts
from mapsi.errors import UsageError
from mapsi.settings import Secret

BASE = "https://api.openverse.org"
ANONYMOUS_PAGE = 20
CLIENT_PAGE = 50
"""Photos per page: more is refused, with a client's token as without one."""

MAX_PAGES = 200
LICENCE_TYPES = frozenset({"all", "all-cc", "commercial", "modification"})
_RENEWED_EARLY = 60


class Openverse:
    """Openverse's image search, anonymously or as a registered client (OAuth2 client credentials).

    ``licences`` narrows what is searched: ``commercial``, ``modification``, or both with a comma.
    """

    def __init__(
        self,
        contact: str,
        asking: Asking,
        *,
        client_id: Secret = Secret(""),  # noqa: B008 - never changes
        client_secret: Secret = Secret(""),  # noqa: B008 - never changes
        licences: str = "",
        base: str = BASE,
    ) -> None:
        if not contact:
            raise ContactMissingError(self.name)
        unknown = sorted(set(licences.split(",")) - LICENCE_TYPES - {""})
        if unknown:
            raise UsageError(
                f"Openverse has no licence type {unknown[0]!r}.", f"It has: {', '.join(sorted(LICENCE_TYPES))}."
            )
        self._client = (client_id, client_secret) if client_id and client_secret else None
        self._licences = {"license_type": licences} if licences else {}
        self._base = base
        self._clock = asking.clock
        self._api = JsonApi(self.name, asking, apart=0.7 if self._client else 3.0, judge=_judge)
        self._token = ""
        self._token_ends = 0.0

    @property
    def name(self) -> str:
        return "openverse"

    def search(self, query: Query) -> Iterator[Found]:
        return stream(self._pages(query.text), _read, self.name)

    def _pages(self, text: str) -> Iterator[list[Mapping[str, Any]]]:
        size = CLIENT_PAGE if self._client else ANONYMOUS_PAGE
        for page in range(1, MAX_PAGES + 1):
            parameters: dict[str, str | int] = {"q": text, "page": page, "page_size": size, **self._licences}
            document = self._api.ask(f"{self._base}/v1/images/", parameters, self._headers)
            yield entries(document, "results", self.name)
            pages = document.get("page_count")
            if isinstance(pages, int) and page >= pages:
                return

    def _headers(self) -> dict[str, str]:
        if self._client is None:
            return {}
        if self._clock.now() > self._token_ends - _RENEWED_EARLY:
            self._renew_token(*self._client)
        return {"Authorization": f"Bearer {self._token}"}

    def _renew_token(self, client_id: Secret, client_secret: Secret) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id.reveal(),
            "client_secret": client_secret.reveal(),
        }
        document = self._api.post(f"{self._base}/v1/auth_tokens/token/", form)
        token, lasts = document.get("access_token"), document.get("expires_in")
        if not isinstance(token, str) or not isinstance(lasts, int | float):
            raise SourceChanged(self.name, "openverse gave no readable token.", "Its API may have changed.")
        self._token, self._token_ends = token, self._clock.now() + lasts


def _judge(status: int, document: Any) -> SourceFault | Busy | None:
    if status in (400, 401) and isinstance(document, dict) and "error" in document:  # OAuth2's own form
        return _no_client(status)
    return _no_client(status) if status == 401 else None


def _no_client(status: int) -> SourceRefused:
    return SourceRefused(
        "openverse",
        f"openverse does not accept the client (status {status}).",
        "Check MAPSI_OPENVERSE_CLIENT_ID and MAPSI_OPENVERSE_CLIENT_SECRET, and that the client's email address "
        "is confirmed.",
    )


def _read(entry: Mapping[str, Any], rank: int) -> Found:
    found = Found(
        address=address_of(entry.get("url")),
        rank=rank,
        page=address_of(entry.get("foreign_landing_url")),
        title=plain_text(entry.get("title")),
        creator=plain_text(entry.get("creator")),
        licence=licence_name(plain_text(entry.get("license")), plain_text(entry.get("license_version"))),
        licence_address=address_of(entry.get("license_url")),
        width=pixels(entry.get("width")),
        height=pixels(entry.get("height")),
    )
    return as_thumbnail(found)


def licence_name(code: str, version: str) -> str:
    """The name that people know a licence by: ``by-sa`` and ``4.0`` are ``CC BY-SA 4.0``."""
    match code.lower():
        case "":
            return ""
        case "cc0":
            name = "CC0"
        case "pdm":
            name = "Public Domain Mark"
        case other:
            name = f"CC {other.upper()}"
    return f"{name} {version}".strip()


def build(licences: str, parts: SourceParts) -> Openverse:
    """The source ``openverse``, or ``openverse:LICENCES``."""
    settings = parts.settings
    return Openverse(
        settings.collect_contact,
        parts.asking("openverse"),
        client_id=settings.openverse_client_id,
        client_secret=settings.openverse_client_secret,
        licences=licences,
        base=parts.base("openverse", BASE),
    )

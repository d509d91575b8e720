"""Wikimedia Commons: freely licensed photos, asked for one request at a time and fetched as thumbnails."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mapsi.collect.faults import ContactMissingError, SourceChanged, SourceFault, SourceUnreachable
from mapsi.collect.source import Found, Query
from mapsi.collect.sources.api import Asking, Busy, JsonApi, exhausted
from mapsi.collect.sources.entries import address_of, entries, pixels, plain_text, stream
from mapsi.collect.sources.parts import SourceParts

BASE = "https://commons.wikimedia.org"
THUMBNAIL_WIDTH = 960
"""One of the widths that Wikimedia keeps ready (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840): another width
is refused or served as the next larger one (mediawiki.org, Common thumbnail sizes)."""

PAGE = 50
MAX_PAGES = 200
APART = 1.0
MAX_LAG = 5
"""Seconds that Wikimedia's databases may lag behind before we stay away (mediawiki.org, Manual:Maxlag parameter)."""


_ORIGINAL = re.compile(
    r"(https://upload\.wikimedia\.org/wikipedia/commons)/([0-9a-f]/[0-9a-f]{2})/([^/?]+\.(?:jpe?g|png))", re.IGNORECASE
)


def as_thumbnail(found: Found) -> Found:
    """The same photo as a thumbnail where its address is that of an original on Wikimedia's server, as other catalogues
    name it: originals are slow to come, and asking for many of them is answered with status 429."""
    original = _ORIGINAL.fullmatch(found.address)
    if original is None or found.width <= THUMBNAIL_WIDTH:
        return found
    base, shelf, name = original.groups()
    return replace(
        found,
        address=f"{base}/thumb/{shelf}/{name}/{THUMBNAIL_WIDTH}px-{name}",
        width=THUMBNAIL_WIDTH,
        height=found.height * THUMBNAIL_WIDTH // found.width,
    )


class Commons:
    """Search over the files of Wikimedia Commons, drawings left out."""

    def __init__(self, contact: str, asking: Asking, *, base: str = BASE) -> None:
        if not contact:
            raise ContactMissingError(self.name)
        self._address = f"{base}/w/api.php"
        self._api = JsonApi(self.name, asking, apart=APART, judge=_judge)

    @property
    def name(self) -> str:
        return "commons"

    def search(self, query: Query) -> Iterator[Found]:
        return stream(self._pages(query.text), _read, self.name)

    def _pages(self, text: str) -> Iterator[list[Mapping[str, Any]]]:
        onward: dict[str, str | int] = {}
        for _ in range(MAX_PAGES):
            document = self._api.ask(self._address, {**_question(text), **onward})
            yield self._files(document)
            next_page = document.get("continue")
            if not isinstance(next_page, dict):
                return
            onward = {name: value for name, value in next_page.items() if isinstance(value, str | int)}

    def _files(self, document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The files of one answer, best first. An answer to words that nothing fits has no ``query`` at all."""
        query = document.get("query", {"pages": []})
        if not isinstance(query, dict):
            raise SourceChanged(self.name, "The answer of commons cannot be read.", "Its API may have changed.")
        pages = entries(query, "pages", self.name)
        return sorted((p for p in pages if _info(p)), key=lambda p: pixels(p.get("index")))


def _question(text: str) -> dict[str, str | int]:
    return {
        "action": "query",
        "format": "json",
        "formatversion": 2,
        "generator": "search",
        "gsrnamespace": 6,
        "gsrsearch": f"filetype:bitmap {text}",
        "gsrlimit": PAGE,
        "prop": "imageinfo",
        "iiprop": "url|size|mime|sha1|extmetadata",
        "iiurlwidth": THUMBNAIL_WIDTH,
        "maxlag": MAX_LAG,
    }


def _judge(status: int, document: Any) -> SourceFault | Busy | None:
    """Errors come with status 200 in ``{"error": {"code": "maxlag", ...}}``."""
    error = document.get("error") if isinstance(document, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    match code:
        case None:
            return None
        case "maxlag" | "readonly":
            return Busy(SourceUnreachable("commons", "commons is too busy to answer now.", "Try again later."), MAX_LAG)
        case "ratelimited":
            return Busy(exhausted("commons", "later"))
        case _:
            return SourceChanged("commons", "commons does not understand the request.", "Its API may have changed.")


def _info(page: Mapping[str, Any]) -> Mapping[str, Any]:
    """A file's first ``imageinfo``; empty where this answer leaves it to the next one."""
    infos = page.get("imageinfo")
    return infos[0] if isinstance(infos, list) and infos and isinstance(infos[0], dict) else {}


def _read(page: Mapping[str, Any], rank: int) -> Found:
    info = _info(page)
    thumbnail = address_of(info.get("thumburl"))
    about = info.get("extmetadata")
    said = about if isinstance(about, dict) else {}
    return Found(
        address=thumbnail or address_of(info.get("url")),
        rank=rank,
        page=address_of(info.get("descriptionurl")),
        title=plain_text(page.get("title")).removeprefix("File:"),
        creator=_said(said, "Artist"),
        licence=_said(said, "LicenseShortName"),
        licence_address=address_of(_said(said, "LicenseUrl")),
        width=pixels(info.get("thumbwidth" if thumbnail else "width")),
        height=pixels(info.get("thumbheight" if thumbnail else "height")),
    )


def _said(said: Mapping[str, Any], name: str) -> str:
    """A field of ``extmetadata``, which comes as markup."""
    field = said.get(name)
    return plain_text(field.get("value")) if isinstance(field, dict) else ""


def build(_: str, parts: SourceParts) -> Commons:
    """The source ``commons``."""
    base = parts.base("commons", BASE)
    return Commons(parts.settings.collect_contact, parts.asking("commons"), base=base)

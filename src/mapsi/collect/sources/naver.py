"""Naver image search: NAVER API HUB (``naver-hub``) and, for keys from before it, Naver Open API (``naver``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mapsi.collect.faults import KeyMissingError, SourceChanged, SourceFault, SourceRefused, SourceUnreachable
from mapsi.collect.source import Found, Query
from mapsi.collect.sources.api import Asking, Busy, JsonApi, exhausted
from mapsi.collect.sources.entries import address_of, entries, pixels, plain_text, stream
from mapsi.collect.sources.parts import SourceParts
from mapsi.settings import Secret

HUB_BASE = "https://naverapihub.apigw.ntruss.com"
OPEN_BASE = "https://openapi.naver.com"
DISPLAY = 100
LAST_START = 1000
"""``start`` goes to 1000 and a page holds 100, so a query reaches 1,099 photos."""

APART = 0.2


class _NaverImages:
    """What the two have in common: parameters, pages and entries."""

    def __init__(self, name: str, address: str, parameters: Mapping[str, str], keys: Mapping[str, Secret]) -> None:
        self._name = name
        self._address = address
        self._parameters = parameters
        self._keys = keys
        self._api: JsonApi

    @property
    def name(self) -> str:
        return self._name

    def search(self, query: Query) -> Iterator[Found]:
        """Photos by relevance, a hundred per request; Naver names no page, creator or licence."""
        return stream(self._pages(query.text), _read, self._name)

    def _pages(self, text: str) -> Iterator[list[Mapping[str, Any]]]:
        for start in (*range(1, LAST_START, DISPLAY), LAST_START):
            parameters = {"query": text, "display": DISPLAY, "start": start, "sort": "sim", **self._parameters}
            page = entries(self._api.ask(self._address, parameters, self._headers), "items", self._name)
            yield page
            if len(page) < DISPLAY:
                return

    def _headers(self) -> dict[str, str]:
        return {header: key.reveal() for header, key in self._keys.items()}


class NaverHub(_NaverImages):
    """Image search of NAVER API HUB: 25,000 requests a day."""

    def __init__(self, key_id: Secret, key: Secret, asking: Asking, *, base: str = HUB_BASE) -> None:
        if not key_id or not key:
            raise KeyMissingError("naver-hub", "MAPSI_NAVER_HUB_KEY_ID", "MAPSI_NAVER_HUB_KEY")
        keys = {"X-NCP-APIGW-API-KEY-ID": key_id, "X-NCP-APIGW-API-KEY": key}
        super().__init__("naver-hub", f"{base}/search/v1/image", {"filter": "all", "format": "json"}, keys)
        self._api = JsonApi(self.name, asking, apart=APART, judge=_judge_hub)


class NaverOpen(_NaverImages):
    """Image search of Naver Open API, which answers existing keys until 2027-06-30."""

    def __init__(self, client_id: Secret, client_secret: Secret, asking: Asking, *, base: str = OPEN_BASE) -> None:
        if not client_id or not client_secret:
            raise KeyMissingError("naver", "MAPSI_NAVER_CLIENT_ID", "MAPSI_NAVER_CLIENT_SECRET")
        keys = {"X-Naver-Client-Id": client_id, "X-Naver-Client-Secret": client_secret}
        super().__init__("naver", f"{base}/v1/search/image", {"filter": "all"}, keys)
        self._api = JsonApi(self.name, asking, apart=APART, judge=_judge_open)


def _read(entry: Mapping[str, Any], rank: int) -> Found:
    return Found(
        address=address_of(entry.get("link")),
        rank=rank,
        title=plain_text(entry.get("title")),
        width=pixels(entry.get("sizewidth")),
        height=pixels(entry.get("sizeheight")),
    )


def _judge_hub(status: int, document: Any) -> SourceFault | Busy | None:
    """The gateway's codes are in ``{"error": {"errorCode": "210", "message": ...}}``."""
    error = document.get("error") if isinstance(document, dict) else None
    code = str(error.get("errorCode")) if isinstance(error, dict) else ""
    if code in ("200", "210"):
        return SourceRefused(
            "naver-hub",
            f"naver-hub does not accept the key (code {code}).",
            "Check MAPSI_NAVER_HUB_KEY_ID and MAPSI_NAVER_HUB_KEY, and that image search is switched on for them.",
        )
    if code in ("410", "420"):
        return Busy(exhausted("naver-hub", "later"))
    if code in ("500", "510", "900"):
        return Busy(
            SourceUnreachable("naver-hub", f"naver-hub has an error of its own (code {code}).", "Try again later.")
        )
    return {
        "300": SourceRefused("naver-hub", "naver-hub knows no such service (code 300).", "Check MAPSI_COLLECT_BASES."),
        "400": exhausted("naver-hub", "tomorrow"),
        "430": SourceChanged(
            "naver-hub", "naver-hub says that the request is too large (code 430).", "Shorten the words."
        ),
    }.get(code)


def _judge_open(status: int, document: Any) -> SourceFault | Busy | None:
    """The codes are in ``{"errorCode": "024", "errorMessage": ...}``; SE01 to SE06 say what was wrong with a
    question."""
    code = str(document.get("errorCode", "")) if isinstance(document, dict) else ""
    if status == 401:
        return SourceRefused(
            "naver",
            "naver does not accept the keys.",
            "Check MAPSI_NAVER_CLIENT_ID and MAPSI_NAVER_CLIENT_SECRET.",
        )
    if status == 403:
        return SourceRefused(
            "naver",
            "naver refuses: image search is not switched on for these keys.",
            "Switch it on for the application.",
        )
    if code == "SE99":
        return Busy(SourceUnreachable("naver", "naver has an error of its own (code SE99).", "Try again later."))
    if code.startswith("SE0") and len(code) == 4:
        return SourceChanged(
            "naver", f"naver does not understand the request (code {code}).", "Its API may have changed."
        )
    return None


def build_hub(_: str, parts: SourceParts) -> NaverHub:
    """The source ``naver-hub``."""
    settings, base = parts.settings, parts.base("naver-hub", HUB_BASE)
    return NaverHub(settings.naver_hub_key_id, settings.naver_hub_key, parts.asking("naver-hub"), base=base)


def build_open(_: str, parts: SourceParts) -> NaverOpen:
    """The source ``naver``."""
    settings, base = parts.settings, parts.base("naver", OPEN_BASE)
    return NaverOpen(settings.naver_client_id, settings.naver_client_secret, parts.asking("naver"), base=base)

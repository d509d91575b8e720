"""A server on loopback that speaks the photo APIs' formats, errors and limits, and serves drawn pictures.

Each :class:`PhotoSources` is one host: NAVER API HUB, Naver Open API, Openverse and Wikimedia Commons at their own
paths, and pictures under ``/p/``. It counts what is asked of it.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import numpy as np
from PIL import Image

CONTACT = "collector@example.com"
HUB_KEYS = ("hub-id", "hub-key")
OPEN_KEYS = ("open-id", "open-secret")
CLIENT = ("ov-client", "ov-secret")
TOKEN = "a-token"
APIS = {
    "/search/v1/image": "naver-hub",
    "/v1/search/image": "naver",
    "/v1/images/": "openverse",
    "/v1/auth_tokens/token/": "openverse-token",
    "/w/api.php": "commons",
}


@dataclass(frozen=True)
class Item:
    """A photo that an API names: ``address`` is absolute, sides are what the API says of it."""

    address: str
    title: str = "A photo"
    creator: str = "Somebody"
    page: str = ""
    width: int = 320
    height: int = 400


@dataclass(frozen=True)
class Reply:
    """An answer; ``wait`` seconds pass before it. ``more`` are headers that may repeat."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0
    more: tuple[tuple[str, str], ...] = ()


def reply_json(document: Any, status: int = 200, **headers: str) -> Reply:
    about = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Reply(json.dumps(document).encode(), status, about)


def draw(name: str, width: int = 320, height: int = 400) -> Image.Image:
    """A picture that only this name has: soft blots, whose perceptual hash lies far from every other name's."""
    noise = np.random.default_rng(zlib.crc32(name.encode())).integers(0, 256, (10, 8, 3), np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def jpeg(picture: Image.Image, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", **{"quality": 85, **options})
    return out.getvalue()


class PhotoSources(ThreadingHTTPServer):
    """One host. ``stock`` gives what an API (by its name) finds for a text; ``pictures`` are served in the place of
    drawn ones, by path; ``troubles`` are given once each, in turn, before an API answers as it should."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stock: Callable[[str, str], list[Item]] = lambda api, text: self.items(api, text, 8)
        self.draw: Callable[[str], Image.Image] = draw
        self.pictures: dict[str, Reply] = {}
        self.troubles: dict[str, deque[Reply]] = {}
        self.always: dict[str, Reply] = {}
        self.picture_hosts: list[str] = [self.url]
        self.asked: Counter[str] = Counter()
        self.agents: set[str] = set()
        self.order: list[str] = []
        self.most_at_once: Counter[str] = Counter()
        self.pause = 0.0
        self._active: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def items(self, api: str, text: str, count: int, **about: Any) -> list[Item]:
        """Photos with pictures of their own, spread over ``picture_hosts``."""
        stem = f"{api}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        hosts = self.picture_hosts
        made = {
            "title": f"{text} {{n}}",
            "creator": f"{api} creator {{n}}",
            "page": f"https://pages.example.com/{stem}/{{n}}",
            **about,
        }
        return [
            Item(
                address=f"{hosts[n % len(hosts)]}/p/{stem}-{n}.jpg",
                **{k: v.format(n=n) if isinstance(v, str) else v for k, v in made.items()},
            )
            for n in range(count)
        ]

    def bases(self) -> str:
        """The setting that leads the sources here."""
        return ",".join(f"{name}={self.url}" for name in ("naver-hub", "naver", "openverse", "commons"))

    def environment(self) -> dict[str, str]:
        """Settings with which all sources work."""
        return {
            "MAPSI_COLLECT_CONTACT": CONTACT,
            "MAPSI_COLLECT_BASES": self.bases(),
            "MAPSI_ALLOW_HOSTS": "127.0.0.1",
            "MAPSI_NAVER_HUB_KEY_ID": HUB_KEYS[0],
            "MAPSI_NAVER_HUB_KEY": HUB_KEYS[1],
            "MAPSI_NAVER_CLIENT_ID": OPEN_KEYS[0],
            "MAPSI_NAVER_CLIENT_SECRET": OPEN_KEYS[1],
            "MAPSI_OPENVERSE_CLIENT_ID": CLIENT[0],
            "MAPSI_OPENVERSE_CLIENT_SECRET": CLIENT[1],
        }

    def trouble(self, api: str, *replies: Reply) -> None:
        """Let the next requests to ``api`` be answered so."""
        self.troubles.setdefault(api, deque()).extend(replies)

    def count(self, part: str) -> int:
        """How many requests had ``part`` in their path."""
        return sum(count for path, count in self.asked.items() if part in path)

    def twice(self) -> list[str]:
        """What was asked for more than once."""
        return [path for path, count in self.asked.items() if count > 1]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up or is killed is part of the tests."""

    def entered(self, kind: str, path: str, agent: str) -> None:
        with self._lock:
            self.asked[path] += 1
            self.order.append(path)
            self.agents.add(agent)
            self._active[kind] += 1
            self.most_at_once[kind] = max(self.most_at_once[kind], self._active[kind])

    def left(self, kind: str) -> None:
        with self._lock:
            self._active[kind] -= 1


class _Handler(BaseHTTPRequestHandler):
    server: PhotoSources
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""

    def do_GET(self) -> None:
        self._handle({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        self._handle({name: values[0] for name, values in parse_qs(body).items()})

    def _handle(self, form: dict[str, str]) -> None:
        path = urlsplit(self.path).path
        kind = APIS.get(path, "picture")
        self.server.entered(kind, unquote(self.path), self.headers.get("User-Agent", ""))
        try:
            reply = self._reply(kind, path, form)
            time.sleep(reply.wait)
        finally:
            # Before the answer goes out: who has it may ask again before this thread is next heard of.
            self.server.left(kind)
        self._send(reply)

    def _reply(self, kind: str, path: str, form: dict[str, str]) -> Reply:
        if kind in self.server.always:
            return self.server.always[kind]
        troubles = self.server.troubles.get(kind)
        if troubles:
            return troubles.popleft()
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        apis: dict[str, Callable[[Mapping[str, str]], Reply]] = {
            "naver-hub": self._naver_hub,
            "naver": self._naver_open,
            "openverse": self._openverse,
            "openverse-token": lambda _: self._token(form),
            "commons": self._commons,
            "picture": lambda _: self._picture(path),
        }
        return apis[kind](asked)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        once = {"Content-Length": str(len(reply.body)), **reply.headers, "Connection": "close"}
        for name, value in (*once.items(), *reply.more):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)
        self.close_connection = True

    def _picture(self, path: str) -> Reply:
        if path in self.server.pictures:
            return self.server.pictures[path]
        if not path.startswith("/p/"):
            return Reply(b"not here", 404)
        drawn = self.server.draw(path.removeprefix("/p/"))
        return Reply(jpeg(drawn), headers={"Content-Type": "image/jpeg"}, wait=self.server.pause)

    def _naver_hub(self, asked: Mapping[str, str]) -> Reply:
        keys = (self.headers.get("X-NCP-APIGW-API-KEY-ID"), self.headers.get("X-NCP-APIGW-API-KEY"))
        if keys != HUB_KEYS:
            return reply_json({"error": {"errorCode": "200", "message": "Authentication Failed"}}, 401)
        return self._naver_items("naver-hub", asked)

    def _naver_open(self, asked: Mapping[str, str]) -> Reply:
        if (self.headers.get("X-Naver-Client-Id"), self.headers.get("X-Naver-Client-Secret")) != OPEN_KEYS:
            return reply_json({"errorMessage": "NID AUTH Result Invalid (1000)", "errorCode": "024"}, 401)
        return self._naver_items("naver", asked)

    def _naver_items(self, api: str, asked: Mapping[str, str]) -> Reply:
        display, start = int(asked.get("display", 10)), int(asked.get("start", 1))
        if not 1 <= display <= 100:
            return reply_json({"errorMessage": "Invalid display value", "errorCode": "SE02"}, 400)
        if not 1 <= start <= 1000:
            return reply_json({"errorMessage": "Invalid start value", "errorCode": "SE03"}, 400)
        stock = self.server.stock(api, asked["query"])
        page = stock[start - 1 : start - 1 + display]
        items = [
            {
                "title": f"<b>{item.title}</b> &amp; more",
                "link": item.address,
                "thumbnail": f"{self.server.url}/thumbnail",
                "sizeheight": str(item.height),
                "sizewidth": str(item.width),
            }
            for item in page
        ]
        return reply_json({"total": len(stock), "start": start, "display": len(items), "items": items})

    def _openverse(self, asked: Mapping[str, str]) -> Reply:
        is_client = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        size, page = int(asked.get("page_size", 20)), int(asked.get("page", 1))
        if size > (50 if is_client else 20):
            return reply_json({"detail": "Authentication credentials were not provided."}, 401)
        stock = self.server.stock("openverse", asked["q"])
        results = [
            {
                "id": str(number),
                "title": item.title,
                "url": item.address,
                "thumbnail": f"{self.server.url}/v1/images/{number}/thumb/",
                "foreign_landing_url": item.page,
                "creator": item.creator,
                "license": "by-sa",
                "license_version": "4.0",
                "license_url": "https://creativecommons.org/licenses/by-sa/4.0/",
                "attribution": f'"{item.title}" by {item.creator} is licensed under CC BY-SA 4.0.',
                "width": item.width,
                "height": item.height,
            }
            for number, item in enumerate(stock[(page - 1) * size : page * size])
        ]
        document = {
            "result_count": len(stock),
            "page_count": -(-len(stock) // size),
            "page_size": size,
            "page": page,
            "results": results,
        }
        limit = {"X-RateLimit-Limit-anon_burst": "20/min", "X-RateLimit-Available-anon_burst": "19"}
        return reply_json(document, **limit)

    def _token(self, form: Mapping[str, str]) -> Reply:
        if (form.get("client_id"), form.get("client_secret"), form.get("grant_type")) != (
            *CLIENT,
            "client_credentials",
        ):
            return reply_json({"error": "invalid_client"}, 401)
        return reply_json({"access_token": TOKEN, "expires_in": 36000, "token_type": "Bearer", "scope": "read write"})

    def _commons(self, asked: Mapping[str, str]) -> Reply:
        if CONTACT not in self.headers.get("User-Agent", ""):
            return Reply(b"<html><body>Please set a user-agent</body></html>", 403, {"Content-Type": "text/html"})
        if "maxlag" not in asked:
            return reply_json({"error": {"code": "nomaxlag"}})
        text, offset = asked["gsrsearch"].removeprefix("filetype:bitmap "), int(asked.get("gsroffset", 0))
        stock, size = self.server.stock("commons", text), int(asked["gsrlimit"])
        page = stock[offset : offset + size]
        if not page:
            return reply_json({"batchcomplete": True})
        files = [self._commons_file(item, offset + n, asked) for n, item in enumerate(page, start=1)]
        document: dict[str, Any] = {"batchcomplete": True, "query": {"pages": list(reversed(files))}}
        if offset + size < len(stock):
            document["continue"] = {"gsroffset": offset + size, "continue": "gsroffset||"}
        return reply_json(document)

    def _commons_file(self, item: Item, index: int, asked: Mapping[str, str]) -> dict[str, Any]:
        width = int(asked["iiurlwidth"])
        said = {
            "Artist": f'<a href="//commons.wikimedia.org/wiki/User:X" title="x">{item.creator}</a>',
            "LicenseShortName": "CC BY-SA 4.0",
            "LicenseUrl": "https://creativecommons.org/licenses/by-sa/4.0",
        }
        info = {
            "url": f"{self.server.url}/original/{index}.jpg",
            "thumburl": item.address,
            "thumbwidth": min(width, item.width),
            "thumbheight": item.height,
            "width": item.width * 10,
            "height": item.height * 10,
            "mime": "image/jpeg",
            "descriptionurl": f"https://commons.wikimedia.org/wiki/File:{quote(item.title)}",
            "extmetadata": {name: {"value": value, "source": "commons-desc-page"} for name, value in said.items()},
        }
        return {"pageid": index, "ns": 6, "title": f"File:{item.title}", "index": index, "imageinfo": [info]}


@contextmanager
def run_photo_sources(hosts: int = 1) -> Iterator[list[PhotoSources]]:
    """Start ``hosts`` servers; the first one's pictures lie on all of them."""
    servers = [PhotoSources() for _ in range(hosts)]
    threads = [threading.Thread(target=s.serve_forever, kwargs={"poll_interval": 0.01}) for s in servers]
    for thread in threads:
        thread.start()
    servers[0].picture_hosts = [server.url for server in servers]
    try:
        yield servers
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()

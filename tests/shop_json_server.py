"""A local server that speaks Naver Open API's ``shop.json``: parameters, limits, error codes and their bodies.

In a test: ``with run_shop_json() as server``. By hand: ``python tests/shop_json_server.py --port 8765``, then name
``http://127.0.0.1:8765`` as the address of a source; MAPSI_ALLOW_HOSTS has to name ``127.0.0.1:8765``.

Items are made from the query alone, so that the same query gives the same items on every run. Source of the behaviour:
Naver's reference of the shopping search, and answers that users of it published.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from urllib.parse import parse_qsl, urlsplit

from PIL import Image

from feed_server import served
from mapsi.providers.quota import quota_day, quota_spent

CLIENT_ID, CLIENT_SECRET = "mapsi-test-id", "mapsi-test-secret"
PATH = "/v1/search/shop.json"
ERRORS = {
    "SE01": (400, "Incorrect query request (잘못된 쿼리요청입니다.)"),
    "SE02": (400, "Invalid display value (부적절한 display 값입니다.)"),
    "SE03": (400, "Invalid start value (부적절한 start 값입니다.)"),
    "SE04": (400, "Invalid sort value (부적절한 sort 값입니다.)"),
    "SE05": (404, "Invalid search api (존재하지 않는 검색 api 입니다.)"),
    "SE06": (400, "Malformed encoding (잘못된 형식의 인코딩입니다.)"),
    "SE99": (500, "System Error (시스템 에러)"),
    "010": (429, "Query limit exceeded. (쿼리 한도를 초과했습니다.)"),
    "012": (429, "Rate limit exceeded. (속도 제한을 초과했습니다.)"),
    "024": (401, "NID AUTH Result Invalid (1000) : Authentication failed. (인증에 실패했습니다.)"),
    "403": (403, "Forbidden (호출이 금지되었습니다.)"),
}
SORTS = ("sim", "date", "asc", "dsc")
COLORS = ("화이트", "블랙", "네이비", "베이지", "카키", "그레이")
CUTS = ("오버핏", "슬림핏", "루즈핏", "크롭", "롱", "베이직")
MALLS = ("네이버", "맵시몰", "옷장", "하루셔츠", "Blue & Co", "SSG닷컴")
CATEGORIES = (
    ("패션의류", "여성의류", "원피스", ""),
    ("패션의류", "남성의류", "셔츠/남방", "캐주얼셔츠"),
    ("패션의류", "여성의류", "니트", "풀오버"),
    ("출산/육아", "유아동의류", "티셔츠", ""),
    ("패션잡화", "남성신발", "운동화", ""),
)


@dataclass(frozen=True)
class Product:
    """An item beside what sorting and leaving out go by."""

    item: dict[str, str]
    price: int
    day: int
    flags: frozenset[str]


def product(number: int, query: str, address: str) -> Product:
    """The ``number``-th product (from 0) for a query. Every tenth is a product that all queries find."""
    shared = number % 10 == 9
    bits = hashlib.sha256(f"{'' if shared else query}/{number}".encode()).digest()
    kind = bits[0] % 40  # most products are ordinary: types 1 to 3
    kind = kind % 3 + 1 if kind < 28 else kind - 27
    code = str(80_000_000_000 + number if shared else int.from_bytes(bits[1:6], "big") % 10**10 + 10**10)
    price = 9_900 + int.from_bytes(bits[6:8], "big") % 900 * 100
    category = CATEGORIES[bits[8] % len(CATEGORIES)]
    marked = "공용 가방" if shared else f"<b>{query}</b>"
    item = {
        "title": f"{CUTS[bits[9] % 6]} {marked} {COLORS[bits[10] % 6]} &amp; S/M/L {number}",
        "link": f"https://shopping.example.com/gate?id={code}&mode=a%20b",
        "image": f"{address}/image/{code}.jpg",
        "lprice": str(price),
        "hprice": ("", "0", str(price + 5_000))[bits[11] % 3],
        "mallName": MALLS[bits[12] % 6],
        "productId": code,
        "productType": str(kind),
        "maker": "맵시" if bits[13] % 2 else "",
        "brand": "하루" if bits[14] % 3 else "",
        **{f"category{level}": name for level, name in enumerate(category, 1)},
    }
    flags = {"used"} if 4 <= kind <= 6 else set()
    flags |= {"rental"} if bits[15] % 25 == 0 else set()
    flags |= {"cbshop"} if bits[16] % 15 == 0 else set()
    return Product(item, price, bits[17], frozenset(flags))


@lru_cache(maxsize=256)
def found(query: str, total: int, sort: str, exclude: frozenset[str], address: str) -> list[dict[str, str]]:
    """All items for a query, in order."""
    products = [product(number, query, address) for number in range(total)]
    kept = [each for each in products if not each.flags & exclude]
    keys: dict[str, Callable[[Product], int]] = {
        "sim": lambda each: 0,
        "date": lambda each: -each.day,
        "asc": lambda each: each.price,
        "dsc": lambda each: -each.price,
    }
    return [each.item for each in sorted(kept, key=keys[sort])]


@dataclass(frozen=True)
class Fault:
    """What the server does instead of answering: an error of :data:`ERRORS` by ``code``, or a ``body`` of its own;
    after ``seconds``; hanging up after ``cut`` bytes of the body."""

    code: str = ""
    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0
    cut: int | None = None


WRONG_KEY = Fault("024")
FORBIDDEN = Fault("403")
SYSTEM_ERROR = Fault("SE99")
TOO_FAST = Fault("012")
DAY_SPENT = Fault("010")
WEB_PAGE = Fault(body=b"<!DOCTYPE html><html><body>Under maintenance</body></html>")
BROKEN_JSON = Fault(body=b'{"lastBuildDate": "Mon, 01 Jun 2026", "total": 3, "items": [{"title": ')
OTHER_JSON = Fault(body=b'{"status": "ok"}')
BAD_GATEWAY = Fault(status=502, body=b"<html>502 Bad Gateway</html>")
BREAKS_OFF = Fault(cut=200)


class ShopJsonServer(ThreadingHTTPServer):
    """``totals`` says how many items a query finds where that should not come from the query itself; ``queries`` counts
    the answered calls by query and ``asked`` keeps their parameters, in order."""

    daemon_threads = True

    def __init__(
        self,
        *,
        port: int = 0,
        daily: int = 25_000,
        per_second: int = 10_000,
        totals: dict[str, int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.daily = daily
        self.per_second = per_second
        self.totals = totals or {}
        self.clock = clock
        self.spent = 0
        self.queries: Counter[str] = Counter()
        self.asked: list[dict[str, str]] = []
        self._faults: deque[Fault | None] = deque()
        self._recent: deque[float] = deque()
        self._lock = Lock()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def fail(self, *faults: Fault, after: int = 0) -> None:
        """Answer the next ``after`` calls as ever, then do each of ``faults`` once."""
        self._faults.extend([None] * after)
        self._faults.extend(faults)

    def reset(self) -> None:
        """Forget what was asked and what should still go wrong."""
        with self._lock:
            self.spent = 0
            self.queries.clear()
            self.asked.clear()
            self._faults.clear()
            self._recent.clear()

    def next_fault(self) -> Fault | None:
        return self._faults.popleft() if self._faults else None

    def total(self, query: str) -> int:
        made_up = int.from_bytes(hashlib.sha256(query.encode()).digest()[:2], "big") % 400
        return self.totals.get(query, made_up)

    def count(self) -> str:
        """Count a call; the code of the limit that it is over, if it is."""
        with self._lock:
            now = self.clock()
            while self._recent and now - self._recent[0] >= 1:
                self._recent.popleft()
            if self.spent >= self.daily:
                return "010"
            if len(self._recent) >= self.per_second:
                return "012"
            self._recent.append(now)
            self.spent += 1
            return ""

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: ShopJsonServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        if self.path.startswith("/image/"):
            return self._send(200, picture(self.path), {"Content-Type": "image/jpeg"})
        fault = self.server.next_fault()
        if fault is not None:
            return self._fail(fault)
        code, document = self._answer()
        if code:
            return self._error(code)
        return self._send(200, json.dumps(document, ensure_ascii=False, indent="\t").encode())

    def _answer(self) -> tuple[str, dict[str, object]]:
        if not self._has_keys():
            return "024", {}
        limit = self.server.count()
        if limit:
            return limit, {}
        parts = urlsplit(self.path)
        if parts.path != PATH:
            return "SE05", {}
        try:
            asked = dict(parse_qsl(parts.query, keep_blank_values=True, errors="strict"))
        except UnicodeDecodeError:
            return "SE06", {}
        return wrong_parameter(asked), self._found(asked) if not wrong_parameter(asked) else {}

    def _found(self, asked: dict[str, str]) -> dict[str, object]:
        query, start, display = asked["query"], int(asked.get("start", 1)), int(asked.get("display", 10))
        exclude = frozenset(asked.get("exclude", "").split(":")) - {""}
        self.server.queries[query] += 1
        self.server.asked.append(asked)
        items = found(query, self.server.total(query), asked.get("sort", "sim"), exclude, self.server.url)
        page = items[start - 1 : start - 1 + display]
        return {
            "lastBuildDate": time.strftime("%a, %d %b %Y %H:%M:%S +0900", time.gmtime(time.time() + 9 * 3600)),
            "total": len(items),
            "start": start,
            "display": len(page),
            "items": page,
        }

    def _has_keys(self) -> bool:
        given = (self.headers.get("X-Naver-Client-Id"), self.headers.get("X-Naver-Client-Secret"))
        return given == (CLIENT_ID, CLIENT_SECRET)

    def _error(self, code: str, headers: dict[str, str] | None = None) -> None:
        status, message = ERRORS[code]
        body = json.dumps({"errorMessage": message, "errorCode": code}, ensure_ascii=False).encode()
        self._send(status, body, headers)

    def _fail(self, fault: Fault) -> None:
        time.sleep(fault.seconds)
        if fault.code:
            return self._error(fault.code, fault.headers)
        body = fault.body
        if body is None:
            body = json.dumps(self._answer()[1], ensure_ascii=False).encode()
        return self._send(fault.status, body, fault.headers, fault.cut)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None, cut: int | None = None) -> None:
        self.send_response(status)
        sent = {"Content-Type": "application/json;charset=UTF-8", "Content-Length": str(len(body))} | (headers or {})
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])

    def log_message(self, format: str, *args: object) -> None:
        """Nothing to the terminal."""


def wrong_parameter(asked: dict[str, str]) -> str:
    """The code for the first parameter that does not fit, "" where all do."""
    if not asked.get("query", "").strip():
        return "SE01"
    if not _within(asked.get("display", "10"), 100):
        return "SE02"
    if not _within(asked.get("start", "1"), 1000):
        return "SE03"
    return "" if asked.get("sort", "sim") in SORTS else "SE04"


def _within(text: str, most: int) -> bool:
    return text.isascii() and text.isdigit() and 1 <= int(text) <= most


def picture(path: str) -> bytes:
    """A small JPEG in a colour of the path's own."""
    bits = hashlib.sha256(path.encode()).digest()
    out = io.BytesIO()
    Image.new("RGB", (240, 320), (bits[0], bits[1], bits[2])).save(out, "JPEG")
    return out.getvalue()


@contextmanager
def run_shop_json(
    *,
    daily: int = 25_000,
    per_second: int = 10_000,
    totals: dict[str, int] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[ShopJsonServer]:
    """A running server on a free port of this machine."""
    server = ShopJsonServer(daily=daily, per_second=per_second, totals=totals, clock=clock)
    with served(server):
        yield server


def main() -> None:
    parser = argparse.ArgumentParser(description="Speak shop.json on this machine.")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--daily", type=int, default=25_000, help="Calls that are answered in all.")
    parser.add_argument("--per-second", type=int, default=10)
    options = parser.parse_args()
    server = ShopJsonServer(port=options.port, daily=options.daily, per_second=options.per_second)
    sys.stdout.write(
        f"{server.url}\nMAPSI_ALLOW_HOSTS={server.host} MAPSI_NAVER_CLIENT_ID={CLIENT_ID} "
        f"MAPSI_NAVER_CLIENT_SECRET={CLIENT_SECRET}\n"
    )
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()


class MemoryQuota:
    """A quota that this process alone knows of; threads may share it."""

    def __init__(self, limit: int = 25_000) -> None:
        self.limit = limit
        self._day: date | None = None
        self._spent = 0
        self._lock = Lock()

    def spend(self, now: datetime) -> None:
        with self._lock:
            spent = self._of_day(now)
            if spent >= self.limit:
                raise quota_spent(f"The {self.limit:,} calls of today are used up.", now)
            self._day, self._spent = quota_day(now), spent + 1

    def exhaust(self, now: datetime) -> None:
        with self._lock:
            self._day, self._spent = quota_day(now), self.limit

    def left(self, now: datetime) -> int:
        with self._lock:
            return max(0, self.limit - self._of_day(now))

    def _of_day(self, now: datetime) -> int:
        return self._spent if self._day == quota_day(now) else 0

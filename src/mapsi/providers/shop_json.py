"""Naver Open API's shopping search (``shop.json``): offers asked for by search words.

The service itself ended on 2026-07-31; its format lives on in compatible gateways and in users' captures.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple, get_args
from urllib.parse import urlencode

from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.errors import FeedError, RefusedAddressError, RemoteError, UsageError
from mapsi.providers.quota import Quota, quota_spent
from mapsi.providers.rows.ids import Ids, each_once
from mapsi.providers.shop_faults import QUOTA_CODE, BadQueryError, code_in, refusal
from mapsi.providers.shop_items import USED, Envelope, parse_envelope, read_item
from mapsi.remote import Fetched, Fetcher
from mapsi.remote.retry import retry_after
from mapsi.settings import Secret
from mapsi.taxonomy import Taxonomy

BASE = "https://openapi.naver.com"
PATH = "/v1/search/shop.json"
Sort = Literal["sim", "date", "asc", "dsc"]
EXCLUDABLE = (USED, "rental", "cbshop")
"""What the provider can leave out: used goods, goods for rent, and those bought abroad on the customer's behalf."""

MAX_DISPLAY = 100
MAX_START = 1000
MAX_ITEMS = MAX_START + MAX_DISPLAY - 1
"""Items of one query that can be reached."""

MAX_ANSWER = 8 << 20
_TRIES = 3
_PATIENCE = 60.0
"""Seconds; a provider that asks to wait longer is asked again in another run."""


class ClassQuery(NamedTuple):
    """Search words of one class of the taxonomy."""

    axis: str
    slug: str
    text: str


def queries_for(taxonomy: Taxonomy) -> list[ClassQuery]:
    """Each class's search words as queries, in the taxonomy's order; the Korean name of a class without any.

    The same words may stand for several classes: :meth:`ShopJson.ask` asks for each text once.
    """
    return [
        ClassQuery(axis.slug, cls.slug, text)
        for axis in taxonomy.listed.values()
        for cls in axis.classes
        for text in cls.words or (cls.name.ko,)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResult:
    """All that one query gave, whole: its offers, each once, and broken rows. ``total`` is how many the provider knows
    of, ``left_out`` how many of those that came are not taken: used goods, and what came twice because the pages moved.

    Other queries may find the same products: an answer keeps them nonetheless, so that it can be replaced by itself."""

    query: str
    rows: tuple[Offer | BrokenRow, ...]
    total: int
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is asked of the provider for each query. ``sort`` is by relevance, date, or rising or falling price;
    ``exclude`` names what is left out (of :data:`EXCLUDABLE`); ``per_query`` is how many items are asked for, 1 to
    :data:`MAX_ITEMS`, a hundred per call. Raises :class:`UsageError` for values that cannot be used."""

    sort: Sort = "sim"
    exclude: frozenset[str] = frozenset(EXCLUDABLE)
    per_query: int = MAX_ITEMS

    def __post_init__(self) -> None:
        if self.sort not in get_args(Sort):
            raise UsageError(f"There is no order {self.sort!r}.", f"There are: {', '.join(get_args(Sort))}.")
        if not self.exclude <= set(EXCLUDABLE):
            odd = sorted(self.exclude.difference(EXCLUDABLE))[0]
            raise UsageError(f"{odd!r} cannot be left out.", f"What can: {', '.join(EXCLUDABLE)}.")
        if not 1 <= self.per_query <= MAX_ITEMS:
            raise UsageError(f"{self.per_query} items of a query cannot be asked for.", f"Ask for 1 to {MAX_ITEMS}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tempo:
    """How fast the provider is asked, and by which clocks. ``seconds`` is the time within which one answer has to
    arrive; ``now`` gives aware times, ``clock`` seconds that only ever rise."""

    calls_per_second: float = 10
    seconds: float = 20
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class ShopJson:
    """A client for one base address and key pair. ``quota`` counts every call before it is made, repeated ones too.

    Raises :class:`UsageError` for keys that cannot be used.
    """

    def __init__(
        self,
        base: str,
        client_id: Secret,
        client_secret: Secret,
        *,
        fetcher: Fetcher,
        quota: Quota,
        selection: Selection | None = None,
        tempo: Tempo | None = None,
    ) -> None:
        _check(client_id, client_secret)
        self._address = base.rstrip("/").removesuffix(PATH) + PATH
        self._headers = {
            "X-Naver-Client-Id": client_id.reveal(),
            "X-Naver-Client-Secret": client_secret.reveal(),
        }
        self._fetcher = fetcher
        self._quota = quota
        self._selection = selection or Selection()
        self._tempo = tempo or Tempo()
        self._pace = _Pace(1 / self._tempo.calls_per_second, self._tempo.clock, self._tempo.sleep)

    def ask(self, queries: Iterable[str]) -> Iterator[QueryResult]:
        """An answer for each text, asked for once, in their order; lazily: a query is asked when its answer is wanted.

        An answer is whole or there is none, so a refresh can take over query by query. Words that the provider does not
        take give an answer with one broken row. Raises :class:`QuotaSpentError` where the day's calls end (the answers
        before stay good; go on with the other queries tomorrow), and any other :class:`FeedError`, or
        :class:`RefusedAddressError`, where the provider does not answer as it should.
        """
        for query in dict.fromkeys(" ".join(text.split()) for text in queries):
            if query:
                yield self._answer(query)

    def search(self, queries: Iterable[str]) -> Iterator[Offer | BrokenRow]:
        """The rows of :meth:`ask`, a product that several queries find once; for whoever wants all of them or
        nothing."""
        return each_once(row for answer in self.ask(queries) for row in answer.rows)

    def _answer(self, query: str) -> QueryResult:
        rows: list[Offer | BrokenRow] = []
        ids = Ids()
        total = left_out = 0
        try:
            for place, item, total in self._items(query):  # noqa: B007 - the last total counts
                row = read_item(item, place, used=USED not in self._selection.exclude, about=f"{query}: ")
                if row is None or (isinstance(row, Offer) and not ids.is_new(row.id)):
                    left_out += 1
                else:
                    rows.append(row)
        except BadQueryError:
            rows = [BrokenRow(1, f"{query}: The provider does not take these words (SE01).")]
        return QueryResult(query=query, rows=tuple(rows), total=total, left_out=left_out)

    def _items(self, query: str) -> Iterator[tuple[int, object, int]]:
        """Place (from 1), item and total, page by page, as far as the provider's limits and ``per_query`` allow."""
        place = 1
        while place <= self._selection.per_query:
            start = min(place, MAX_START)
            display = min(MAX_DISPLAY, self._selection.per_query - start + 1)
            page = self._call(query, start, display)
            for item in page.items[place - start : display]:
                yield place, item, page.total
                place += 1
            place = start + display
            if place > page.total or not page.items:
                return

    def _call(self, query: str, start: int, display: int) -> Envelope:
        """One page; what may be temporary (a dropped connection, 429, 5xx) is tried three times in all."""
        problem = FeedError("")
        for attempt in range(_TRIES):
            self._pace.wait()
            self._quota.spend(self._tempo.now())
            try:
                answer = self._fetch(query, start, display)
            except RefusedAddressError:
                raise
            except RemoteError as error:
                problem, wait = FeedError(f"The provider was asked for {query!r}: {error.message}", error.hint), 0.0
            else:
                if answer.status < 300:
                    return parse_envelope(answer.data)
                problem, wait = self._judge(answer, query)
            if attempt + 1 < _TRIES:
                self._tempo.sleep(wait or 2.0**attempt)
        raise problem

    def _fetch(self, query: str, start: int, display: int) -> Fetched:
        left_out = ":".join(name for name in EXCLUDABLE if name in self._selection.exclude)
        asked = {
            "query": query,
            "display": display,
            "start": start,
            "sort": self._selection.sort,
            "exclude": left_out,
        }
        return self._fetcher.fetch(
            f"{self._address}?{urlencode({name: value for name, value in asked.items() if value != ''})}",
            max_bytes=MAX_ANSWER,
            seconds=self._tempo.seconds,
            headers=self._headers,
            statuses=range(400, 600),
        )

    def _judge(self, answer: Fetched, query: str) -> tuple[FeedError, float]:
        """What an answer of 400 or more means, and how long to wait before the next try; raises what another try
        would not help."""
        code = code_in(answer.data)
        if code == "SE01":
            raise BadQueryError
        problem = refusal(answer.status, code, query)
        if answer.status == 429:
            return self._too_many(answer, code)
        if answer.status < 500:
            raise problem
        return problem, retry_after(answer.headers.get("retry-after", ""), self._tempo.now()) or 0.0

    def _too_many(self, answer: Fetched, code: str) -> tuple[FeedError, float]:
        now = self._tempo.now()
        if code == QUOTA_CODE:
            self._quota.exhaust(now)
            raise quota_spent("The provider says that today's calls are used up.", now)
        wait = retry_after(answer.headers.get("retry-after", ""), now) or 0.0
        # Calls at a pace that is allowed, refused again and again: that is the day's limit under another name.
        problem = quota_spent("The provider takes no more calls now (429).", now)
        if wait > _PATIENCE:
            raise problem
        return problem, wait


class _Pace:
    """Leaves a time between calls, from the beginning of one to that of the next."""

    def __init__(self, interval: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._interval = interval
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    def wait(self) -> None:
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._interval


def _check(client_id: Secret, client_secret: Secret) -> None:
    keys = (client_id.reveal(), client_secret.reveal())
    if not all(keys):
        raise UsageError(
            "The keys for shop.json are missing.", "Set MAPSI_NAVER_CLIENT_ID and MAPSI_NAVER_CLIENT_SECRET."
        )
    if not all(key.isascii() and key.isprintable() and " " not in key for key in keys):
        raise UsageError(
            "The keys for shop.json hold characters that no key has.",
            "Check MAPSI_NAVER_CLIENT_ID and MAPSI_NAVER_CLIENT_SECRET.",
        )

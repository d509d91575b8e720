"""A source that is asked by queries (``shop.json``): each class's search words, within the calls of a day.

What a query brought is kept until all of them are answered, and calls are counted in the database: a run that ends
early, by a spent quota or a killed process, is continued by the next one, on whatever machine.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import urlsplit

from mapsi.catalog import Catalog
from mapsi.catalog.imports.query_answers import QueryAnswer
from mapsi.catalog.imports.run import Row, Run
from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.catalog.records import ImportReport, SourceRecord
from mapsi.errors import QuotaSpentError
from mapsi.http_address import is_http
from mapsi.progress import Advance
from mapsi.providers import shop_items
from mapsi.providers.quota import quota_day, quota_spent
from mapsi.providers.rows.ids import each_once
from mapsi.providers.shop_json import QueryResult, ShopJson, Tempo, queries_for
from mapsi.remote import Fetcher
from mapsi.settings import Secret, Settings
from mapsi.taxonomy import Taxonomy

LONGEST_RUN = 2 * 3600.0
"""Seconds after which a run takes over what it has and leaves the other queries to the next one. A provider that
answers at its usual pace needs half an hour for all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NaverAccount:
    """The keys of Naver's Open API, and how many calls a day they are good for."""

    client_id: Secret
    client_secret: Secret
    daily_calls: int

    @classmethod
    def of(cls, settings: Settings) -> NaverAccount:
        """The account that the settings name."""
        return cls(
            client_id=settings.naver_client_id,
            client_secret=settings.naver_client_secret,
            daily_calls=settings.naver_daily_calls,
        )


def is_asked(source: SourceRecord) -> bool:
    """Whether a source is asked by queries; answers of ``shop.json`` in a file are read like any feed."""
    return source.format == shop_items.PROVIDER.name and is_http(source.address)


class CountedCalls:
    """The calls of one account, counted in the catalogue; see :class:`mapsi.providers.quota.Quota`."""

    def __init__(self, catalog: Catalog, source: SourceRecord, account: NaverAccount) -> None:
        server = urlsplit(source.address).netloc.lower()
        mark = hashlib.sha256(f"{server}\n{account.client_id.reveal()}".encode()).hexdigest()
        self._calls = catalog.calls
        self._name = f"{source.format}/{mark[:32]}"
        self._limit = account.daily_calls

    def spend(self, now: datetime) -> None:
        if not self._calls.spend(self._name, str(quota_day(now)), self._limit):
            raise quota_spent(f"The {self._limit:,} calls of today are used up.", now)

    def exhaust(self, now: datetime) -> None:
        self._calls.exhaust(self._name, str(quota_day(now)), self._limit)

    def left(self, now: datetime) -> int:
        return max(0, self._limit - self._calls.used(self._name, str(quota_day(now))))


class QueryRound:
    """One source's round of queries."""

    def __init__(
        self, catalog: Catalog, source: SourceRecord, account: NaverAccount, fetcher: Fetcher, taxonomy: Taxonomy
    ) -> None:
        self._catalog = catalog
        self._source = source
        self._account = account
        self._fetcher = fetcher
        self._quota = CountedCalls(catalog, source, account)
        self._queries = tuple(dict.fromkeys(" ".join(query.text.split()) for query in queries_for(taxonomy)))

    def take_over(self, run: Run, *, accept: bool, progress: Advance) -> ImportReport:
        """Ask what is not answered yet, and take over everything, or what there is when the calls end."""
        broken: list[BrokenRow] = []
        spent = self._ask_open_queries(broken, progress)
        answers = self._good_answers()
        if not spent:
            seen_at = min(answer.answered_at for answer in answers)
            rows = self._rows(answers, broken)
            return run.take(rows, shrink=self._source.shrink, accept=accept, seen_at=seen_at)
        fresh = [answer for answer in answers if not answer.taken]
        reason = (
            f"{spent} So far {len(answers)} of {len(self._queries)} queries are answered; the next run asks the others."
        )
        if not fresh:
            return run.end("partial", reason)
        return run.take_part(self._rows(fresh, broken), reason, seen_at=min(answer.answered_at for answer in fresh))

    def try_out(self) -> tuple[Iterator[Row], bool]:
        """What :meth:`take_over` would take, and whether that is everything. The answers are not kept."""
        answers, broken, offers = self._good_answers(), list[BrokenRow](), list[Offer]()
        whole = True
        try:
            for answer in self._client.ask(self._open_queries(answers)):
                _sort_out(answer, offers, broken)
        except QuotaSpentError:
            whole = False
        return each_once((*broken, *self._rows(answers, []), *offers)), whole

    def _ask_open_queries(self, broken: list[BrokenRow], progress: Advance) -> str:
        """Ask and keep; gives a sentence where the calls, or the time of a run, ended before."""
        begun, asked = time.monotonic(), self._open_queries(self._good_answers())
        try:
            for answer in self._client.ask(asked):
                offers: list[Offer] = []
                _sort_out(answer, offers, broken)
                self._catalog.answers.save(self._source, answer.query, offers)
                progress(len(answer.rows))
                if time.monotonic() - begun > LONGEST_RUN and answer.query != asked[-1]:
                    return "The provider answers slowly."
        except QuotaSpentError as error:
            return str(error)
        return ""

    @cached_property
    def _client(self) -> ShopJson:
        return ShopJson(
            self._source.address,
            self._account.client_id,
            self._account.client_secret,
            fetcher=self._fetcher,
            quota=self._quota,
            tempo=Tempo(now=self._catalog.now, sleep=self._fetcher.rest),
        )

    def _good_answers(self) -> list[QueryAnswer]:
        """The answers, to queries that are still asked, that are not past their time to live."""
        lives, now = self._source.time_to_live, self._catalog.now()
        return [
            answer
            for answer in self._catalog.answers.of(self._source)
            if answer.query in self._queries and (lives is None or answer.answered_at + lives > now)
        ]

    def _open_queries(self, answers: Sequence[QueryAnswer]) -> list[str]:
        """The others; those first that were never answered, then the longest ago: where a day's calls are too few for
        all, each has its turn."""
        good = {answer.query for answer in answers}
        before = {answer.query: n for n, answer in enumerate(self._catalog.answers.of(self._source), 1)}
        return sorted((q for q in self._queries if q not in good), key=lambda query: before.get(query, 0))

    def _rows(self, answers: Sequence[QueryAnswer], broken: Sequence[BrokenRow]) -> Iterator[Row]:
        yield from broken
        offers = (offer for answer in answers for offer in self._catalog.answers.offers(self._source, answer.query))
        yield from each_once(offers)  # several queries find the same product


def _sort_out(answer: QueryResult, offers: list[Offer], broken: list[BrokenRow]) -> None:
    for row in answer.rows:
        if isinstance(row, Offer):
            offers.append(row)
        else:
            broken.append(row)

"""Asking a JSON API of photos: at its pace, with patience where it asks for some, and with a sentence where it
fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from mapsi.collect.faults import SourceChanged, SourceExhausted, SourceFault, SourceRefused, SourceUnreachable
from mapsi.collect.pace import Clock, Pace, hour_of, limit_rest, moment
from mapsi.collect.sources.kept_answers import KeptAnswers
from mapsi.errors import RefusedAddressError, RemoteError
from mapsi.remote import Fetched, Fetcher
from mapsi.remote.content import looks_like_html
from mapsi.remote.retry import retry_after

PATIENCE = 120
"""Seconds to wait for a source; one that asks for longer is left out of the run, and the hour it names is told."""

ANSWER_BYTES = 8 * 1024 * 1024
_BACKOFF = (1.0, 2.0, 4.0)
_ERRORS = range(400, 600)


@dataclass(frozen=True, slots=True)
class Busy:
    """The source is to be asked again, after ``seconds`` where it names them; ``fault`` is what to raise in the end."""

    fault: SourceFault
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends the requests, and by which clock."""

    fetcher: Fetcher
    clock: Clock


@dataclass(frozen=True, slots=True)
class Asking(Caller):
    """What every API source is built with. ``seconds`` is how long one answer may take."""

    answers: KeptAnswers
    seconds: float = 20


Judge = Callable[[int, Any], SourceFault | Busy | None]
"""A source's own reading of an answer: (HTTP status, JSON or None) -> what is wrong with it, None where it says
nothing."""


def _says_nothing(_status: int, _answer: Any) -> None:
    """The judge of a source whose errors have no codes of their own: the HTTP status says enough."""


class JsonApi:
    """One API, asked one request at a time, requests ``apart`` seconds from each other.

    What it answered is kept in :class:`KeptAnswers`, and what is there is not asked again.
    """

    def __init__(self, source: str, asking: Asking, *, apart: float, judge: Judge = _says_nothing) -> None:
        self._source = source
        self._asking = asking
        self._pace = Pace(asking.clock, apart)
        self._judge = judge

    def ask(
        self, address: str, parameters: Mapping[str, str | int], headers: Callable[[], Mapping[str, str]] = dict
    ) -> dict[str, Any]:
        """The JSON object at ``address`` with ``parameters``. ``headers`` is called only where a request is sent.

        Waits where the source says so (``Retry-After``, ``X-RateLimit-*``) and tries again where it stumbles; raises
        :class:`SourceFault` where that does not help.
        """
        url = f"{address}?{urlencode(parameters)}" if parameters else address
        known = self._asking.answers.find(url)
        if isinstance(known, dict):
            return known
        sent = headers()
        answer = self._patiently(lambda: self._fetch(url, sent))
        self._asking.answers.keep(url, answer)
        return answer

    def post(self, address: str, form: Mapping[str, str]) -> dict[str, Any]:
        """Send a form and give the JSON object that comes back; nothing of it is kept."""
        return self._patiently(
            lambda: self._asking.fetcher.fetch(
                address, max_bytes=ANSWER_BYTES, seconds=self._asking.seconds, statuses=_ERRORS, form=form
            )
        )

    def _fetch(self, url: str, headers: Mapping[str, str]) -> Fetched:
        return self._asking.fetcher.fetch(
            url, max_bytes=ANSWER_BYTES, seconds=self._asking.seconds, statuses=_ERRORS, headers=headers
        )

    def _patiently(self, fetch: Callable[[], Fetched]) -> dict[str, Any]:
        for backoff in (*_BACKOFF, None):
            if self._pace.waiting() > PATIENCE:
                raise self._exhausted(self._pace.waiting())
            outcome = self._once(fetch)
            if not isinstance(outcome, Busy):
                return outcome
            seconds = backoff if outcome.seconds is None else max(outcome.seconds, backoff or 0)
            if backoff is None or seconds is None or seconds > PATIENCE:
                raise outcome.fault
            self._pace.rest(seconds)
        raise AssertionError("the last turn raises")

    def _once(self, fetch: Callable[[], Fetched]) -> dict[str, Any] | Busy:
        with self._pace:
            try:
                answer = fetch()
            except RefusedAddressError as error:
                raise SourceUnreachable(
                    self._source, f"{self._source} cannot be asked: {error.message}", error.hint
                ) from error
            except RemoteError as error:
                return Busy(SourceUnreachable(self._source, f"{self._source}: {error.message}", error.hint))
        now = moment(self._asking.clock)
        self._pace.rest(limit_rest(answer.headers, now.timestamp()))
        return self._judged(answer, retry_after(answer.headers.get("retry-after", ""), now))

    def _judged(self, answer: Fetched, wait: float | None) -> dict[str, Any] | Busy:
        document = _read_json(answer.data)
        verdict = self._judge(answer.status, document) or self._by_status(answer.status, wait)
        if isinstance(verdict, SourceFault):
            raise verdict
        if isinstance(verdict, Busy):
            spent = wait and isinstance(verdict.fault, SourceExhausted)
            fault = self._exhausted(wait) if spent else verdict.fault
            return Busy(fault, max(filter(None, (wait, verdict.seconds)), default=None))
        if not isinstance(document, dict):
            what = "a web page" if looks_like_html(answer.data) else "something that is not JSON"
            raise SourceChanged(
                self._source, f"{self._source} answered with {what}.", "Its address or its format may have changed."
            )
        return document

    def _by_status(self, status: int, wait: float | None) -> SourceFault | Busy | None:
        """What a status alone means, where the source's own codes say nothing."""
        if status < 400:
            return None
        if status in (401, 403):
            return SourceRefused(
                self._source, f"{self._source} refuses to answer (status {status}).", "Check its keys and its terms."
            )
        if status == 429:
            return Busy(self._exhausted(wait))
        if status >= 500:
            return Busy(
                SourceUnreachable(
                    self._source, f"{self._source} has an error of its own (status {status}).", "Try again later."
                )
            )
        return SourceChanged(
            self._source,
            f"{self._source} does not understand the request (status {status}).",
            "Its API may have changed.",
        )

    def _exhausted(self, wait: float | None) -> SourceExhausted:
        until = f"after {hour_of(self._asking.clock.now() + wait)}" if wait else "later, or tomorrow"
        return exhausted(self._source, until)


def exhausted(source: str, until: str) -> SourceExhausted:
    """The fault of a source whose limit is used up; ``until`` continues the sentence "Go on"."""
    return SourceExhausted(
        source, f"{source} gives no more for now: its limit is used up.", f"Run the same command again {until}."
    )


def _read_json(data: bytes) -> Any:
    """The JSON in ``data``, None where it is none, or is nested deeper than can be read."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None

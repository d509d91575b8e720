"""What photo answers are narrowed by follows the catalogue, and keeps nobody waiting."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest

from mapsi.catalog import Catalog
from mapsi.catalog.listings import columns
from mapsi.errors import NotBuiltYetError
from offers import offer, take_in


@contextmanager
def one_reading(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """While a thread reads columns and is not done with it; at the end it is."""
    reading, done, catch_up = Event(), Event(), columns._catch_up

    def slowly(*about: Any) -> columns.OfferColumns:
        reading.set()
        assert done.wait(60)
        return catch_up(*about)

    monkeypatch.setattr(columns, "_catch_up", slowly)
    with ThreadPoolExecutor(1) as one:
        first = one.submit(catalog.listings.shown)
        assert reading.wait(60)
        try:
            yield
        finally:
            done.set()
        first.result(60)


def count(catalog: Catalog) -> int:
    return len(catalog.listings.shown().columns.offer)


def test_while_one_thread_reads_what_changed_the_others_are_answered_from_before(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(catalog, offer("1"))
    assert count(catalog) == 1
    take_in(catalog, offer("1"), offer("2"))
    with one_reading(catalog, monkeypatch):
        assert [count(catalog) for _ in range(3)] == [1, 1, 1]
    assert count(catalog) == 2


def test_where_there_is_nothing_from_before_a_question_waits_and_is_told(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "PATIENCE", 0.01)
    take_in(catalog, offer("1"))
    with one_reading(catalog, monkeypatch), pytest.raises(NotBuiltYetError, match="being read"):
        count(catalog)
    assert count(catalog) == 1

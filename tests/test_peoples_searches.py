"""Kept searches and histories in the catalogue, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mapsi.catalog import Catalog
from mapsi.catalog.people.searches import HISTORY, LONGEST
from mapsi.errors import UsageError
from mapsi.work.schedule import Schedule
from refreshing import DAY, Clock


def test_searches_are_kept_by_account_once_each_and_bounded(
    catalog: Catalog, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    mina, jin = (catalog.accounts.open(f"{name}@example.com", "a hash", "ko") for name in ("mina", "jin"))
    searches = catalog.peoples_searches
    for query in ("q=니트", "q=셔츠", "q=니트"):
        searches.keep(mina.id, query[2:], query)
        clock.advance(timedelta(seconds=1))
    assert [one.query for one in searches.of(mina.id)] == ["q=셔츠", "q=니트"]
    searches.drop(jin.id, searches.of(mina.id)[0].id)
    assert len(searches.of(mina.id)) == 2, "another one's stays"
    with pytest.raises(UsageError, match="characters"):
        searches.keep(mina.id, "long", "x" * (LONGEST + 1))
    monkeypatch.setattr("mapsi.catalog.people.searches.MOST", 2)
    with pytest.raises(UsageError, match="already"):
        searches.keep(mina.id, "three", "q=three")
    catalog.accounts.remove(mina.id)
    searches.keep(mina.id, "late", "q=late")
    assert searches.of(mina.id) == []


def test_a_history_is_kept_where_it_is_wanted_for_a_while(
    catalog: Catalog, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    mina = catalog.accounts.open("mina@example.com", "a hash", "ko")
    searches = catalog.peoples_searches
    searches.remember(mina.id, "not wanted")
    catalog.accounts.keep_history(mina.id, wanted=True)
    searches.remember(mina.id, " first   words ")
    clock.advance(DAY)
    searches.remember(mina.id, "second")
    assert [(one.words, one.at) for one in searches.history(mina.id)] == [
        ("second", clock()),
        ("first words", clock() - DAY),
    ]
    clock.advance(HISTORY - DAY / 2)
    assert [one.words for one in searches.history(mina.id)] == ["second"]
    monkeypatch.setattr("mapsi.catalog.people.searches.MOST_REMEMBERED", 2)
    for words in "abc":
        searches.remember(mina.id, words)
    assert [one.words for one in searches.history(mina.id)] == ["c", "b"]
    catalog.accounts.remove(mina.id)
    assert searches.history(mina.id) == []


def test_what_a_history_has_from_long_ago_goes_also_where_nobody_searches_any_more(
    catalog: Catalog, clock: Clock
) -> None:
    mina = catalog.accounts.open("mina@example.com", "a hash", "ko")
    catalog.accounts.keep_history(mina.id, wanted=True)
    catalog.peoples_searches.remember(mina.id, "a red skirt")
    catalog.sessions.open(mina.id)
    schedule = Schedule(catalog)
    for days, kept in ((89, True), (1, True), (1, False)):
        clock.advance(days * DAY)
        schedule.ask(clock())
        with catalog.snapshots.taken() as snapshot:
            assert ("red skirt" in repr(list(snapshot.rows("history")))) is kept
            assert list(snapshot.rows("sessions")) == [], "60 days without a visit"


def test_words_that_are_searched_for_again_soon_stand_in_the_history_once(catalog: Catalog, clock: Clock) -> None:
    mina = catalog.accounts.open("mina@example.com", "a hash", "ko")
    catalog.accounts.keep_history(mina.id, wanted=True)
    searches = catalog.peoples_searches
    for words, later in (("red skirt", 1), ("coat", 1), ("red skirt", 1), ("red skirt", 60), ("red skirt", 0)):
        searches.remember(mina.id, words)
        clock.advance(timedelta(minutes=later))
    assert [one.words for one in searches.history(mina.id)] == ["red skirt", "red skirt", "coat"]

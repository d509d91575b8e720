"""Accounts, their passwords, and the commands that look after them."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.people.sessions import LIFE
from mapsi.catalog.query import Query
from mapsi.cli import main
from mapsi.errors import NotFoundError, UsageError
from mapsi.web.accounts.passwords import LONGEST, SHORTEST, check_password, hash_password
from offers import offer, take_in
from refreshing import Clock

PASSWORD = "a rather long sentence"


def test_an_operator_is_found_in_whatever_letters_the_address_is_typed(catalog: Catalog) -> None:
    added = catalog.accounts.add_operator(" Jin@Example.com ", "a hash")
    assert added.email == "jin@example.com"
    assert catalog.accounts.find("JIN@example.COM ") == catalog.accounts.get(added.id) == added
    assert catalog.accounts.find("jin@example.org") is None
    assert catalog.accounts.get(added.id + 1) is None


def test_there_is_one_operator_of_an_address(catalog: Catalog) -> None:
    catalog.accounts.add_operator("jin@example.com", "one")
    with pytest.raises(UsageError, match="already"):
        catalog.accounts.add_operator("Jin@example.com", "two")
    assert [(one.email, one.password_hash) for one in catalog.accounts.operators()] == [("jin@example.com", "one")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jin",
        "jin@",
        "@example.com",
        "a b@example.com",
        "a@b@c",
        "x" * 250 + "@a.kr",
        "a@\x00b",
        "a,b@c.kr",
        "<a@b.kr>",
    ],
)
def test_what_is_no_mail_address_is_refused(catalog: Catalog, text: str) -> None:
    with pytest.raises(UsageError, match="not an email address"):
        catalog.accounts.add_operator(text, "a hash")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=400))
def test_looking_for_anything_finds_nobody(empty_sqlite: str, text: str) -> None:
    with open_catalog(empty_sqlite) as catalog:
        assert catalog.accounts.find(text) is None


def test_who_is_removed_is_no_operator_any_more_and_keeps_what_is_saved(catalog: Catalog) -> None:
    added = catalog.accounts.add_operator("jin@example.com", "a hash")
    catalog.accounts.add_operator("min@example.com", "a hash")
    session = catalog.sessions.open(added.id)
    assert catalog.accounts.remove_operator("Jin@example.com") == added
    assert catalog.sessions.find(session) is None
    assert [one.email for one in catalog.accounts.operators()] == ["min@example.com"]
    assert [one.email for one in catalog.accounts.all()] == ["jin@example.com", "min@example.com"]
    for missing in (catalog.accounts.remove_operator, catalog.accounts.named_operator):
        with pytest.raises(NotFoundError, match="no such account"):
            missing("jin@example.com")
    with pytest.raises(NotFoundError):
        catalog.accounts.change_password("nobody@example.com", "a hash")


def test_an_account_is_opened_once_and_another_password_ends_its_sessions(catalog: Catalog) -> None:
    opened = catalog.accounts.open(" Mina@Example.com", "one", "ko")
    assert (opened.email, opened.language, opened.is_operator, opened.wants_mail) == (
        "mina@example.com",
        "ko",
        False,
        False,
    )
    session, other = catalog.sessions.open(opened.id), catalog.sessions.open(opened.id)
    catalog.sessions.close_others(opened.id, session)
    assert (catalog.sessions.find(session), catalog.sessions.find(other)) == (opened, None)
    again = catalog.accounts.open("mina@example.com", "two", "en")
    assert (again.id, again.password_hash, again.language) == (opened.id, "two", "ko")
    assert catalog.sessions.find(session) is None


def test_logging_out_ends_a_session_and_tokens_are_not_in_the_database(catalog: Catalog) -> None:
    account = catalog.accounts.open("mina@example.com", "a hash", "ko")
    session = catalog.sessions.open(account.id)
    assert catalog.sessions.find(session) == account
    for spoilt in ("", session[:-1], "한" * 50, "\ud800"):
        assert catalog.sessions.find(spoilt) is None
    catalog.sessions.close(session)
    assert catalog.sessions.find(session) is None


def test_a_session_ends_by_itself_after_weeks_without_a_visit(catalog_url: str) -> None:
    clock = Clock()
    with open_catalog(catalog_url, clock) as catalog:
        account = catalog.accounts.open("mina@example.com", "a hash", "ko")
        visited, left = catalog.sessions.open(account.id), catalog.sessions.open(account.id)
        clock.advance(LIFE * 0.9)
        assert catalog.sessions.find(visited) == account
        clock.advance(LIFE * 0.9)
        assert catalog.sessions.find(visited) == account
        assert catalog.sessions.find(left) is None


def test_an_account_goes_with_everything_that_is_kept_of_its_person(catalog: Catalog) -> None:
    take_in(catalog, offer("a"), offer("b"))
    first, second = (one.id for one in catalog.listings.search(Query(sort="price-up", size=10)).products)
    now = catalog.now()
    mina, jin = (catalog.accounts.open(f"{name}@example.com", "a hash", "ko") for name in ("mina", "jin"))
    for account in (mina, jin):
        assert catalog.saved.add(account.id, {first: now, second: now, 10**9: now}) == {}
        assert catalog.saved.add(account.id, {first: now + LIFE}) == {}, "saved already: as it was"
    session = catalog.sessions.open(mina.id)
    assert catalog.saved.of(mina.id) == {first: now, second: now}
    catalog.saved.remove(jin.id, first)
    catalog.accounts.remove(mina.id)
    catalog.accounts.remove(mina.id)
    assert (catalog.accounts.get(mina.id), catalog.sessions.find(session), catalog.saved.of(mina.id)) == (
        None,
        None,
        {},
    )
    assert catalog.saved.of(jin.id) == {second: now}
    assert catalog.saved.add(mina.id, {first: now}) == {}, "of an account that is gone nothing is kept"
    assert catalog.sessions.find(catalog.sessions.open(mina.id)) is None


def test_what_an_account_has_no_room_for_is_given_back(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapsi.catalog.people.saved.MOST", 2)
    take_in(catalog, *(offer(name) for name in "abc"))
    ids = [one.id for one in catalog.listings.search(Query(sort="price-up", size=10)).products]
    now = catalog.now()
    mina = catalog.accounts.open("mina@example.com", "a hash", "ko")
    left = catalog.saved.add(mina.id, dict.fromkeys(ids, now))
    assert len(left) == 1
    assert catalog.saved.of(mina.id).keys() | left.keys() == set(ids)


def test_an_account_does_not_print_its_hash(catalog: Catalog) -> None:
    assert "secret-hash" not in repr(catalog.accounts.add_operator("jin@example.com", "secret-hash"))


def test_a_hash_takes_the_time_and_the_memory_that_guessing_shall_cost(users_hasher: PasswordHasher) -> None:
    assert users_hasher.hash(PASSWORD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_password_fits_its_hash_and_no_other_does() -> None:
    kept = hash_password(PASSWORD)
    assert kept.startswith("$argon2id$")
    assert kept != hash_password(PASSWORD)
    assert check_password(kept, PASSWORD)
    assert not any(check_password(kept, other) for other in ("", PASSWORD + " ", PASSWORD.upper()))


def test_a_password_typed_as_composed_or_as_decomposed_hangul_is_the_same() -> None:
    composed = "한글로 된 긴 문장 하나"
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    assert check_password(hash_password(composed), decomposed)


def test_a_password_is_neither_short_nor_endless() -> None:
    for bad in ("", "x" * (SHORTEST - 1), "x" * (LONGEST + 1)):
        with pytest.raises(UsageError, match="characters"):
            hash_password(bad)
    long = "Seven green chairs sing of rain; " * 1000
    longest = hash_password(long[:LONGEST])
    assert check_password(longest, long[:LONGEST])
    assert not check_password(longest, long)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MAPSI_HOME", str(tmp_path / "home"))

    def invoke(*words: str, typed: str = "") -> Result:
        return CliRunner().invoke(main, ["operator", *words], input=typed)

    return invoke


def test_an_operator_is_added_listed_and_removed_on_the_command_line(run: Any) -> None:
    assert "no operator yet" in run("list").output
    added = run("add", "Jin@Example.com", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert added.exit_code == 0, added.output
    assert "jin@example.com is an operator" in added.output
    assert PASSWORD not in added.output
    assert "jin@example.com" in run("list").output
    assert run("remove", "jin@example.com").exit_code == 0
    assert "no operator yet" in run("list").output


def test_a_password_that_is_typed_differently_the_second_time_is_asked_for_again(run: Any) -> None:
    added = run("add", "jin@example.com", typed=f"{PASSWORD}\nsomething else\n{PASSWORD}\n{PASSWORD}\n")
    assert added.exit_code == 0
    assert "do not match" in added.output


def test_a_program_gives_the_password_on_standard_input(run: Any) -> None:
    assert run("add", "jin@example.com", "--password-stdin", typed=f"{PASSWORD}\n").exit_code == 0
    nothing = run("password", "jin@example.com", "--password-stdin")
    assert (nothing.exit_code, "No password arrived on standard input" in nothing.output) == (2, True)
    short = run("password", "jin@example.com", "--password-stdin", typed="short\n")
    assert (short.exit_code, "12 to 1,000" in short.output) == (2, True)
    changed = run("password", "jin@example.com", "--password-stdin", typed="another long sentence\n")
    assert (changed.exit_code, "a new password" in changed.output) == (0, True)


def test_who_is_known_or_unknown_is_told_before_a_password_is_asked_for(run: Any) -> None:
    run("add", "jin@example.com", "--password-stdin", typed=f"{PASSWORD}\n")
    again, missing = run("add", "jin@example.com"), run("password", "min@example.com")
    assert (again.exit_code, again.output.count("Password"), "mapsi operator password" in again.output) == (2, 0, True)
    assert (missing.exit_code, missing.output.count("Password"), "mapsi operator list" in missing.output) == (
        3,
        0,
        True,
    )
    assert run("remove", "min@example.com").exit_code == 3

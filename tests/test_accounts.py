"""Accounts of operators, their passwords, and the commands that look after them."""

from __future__ import annotations

import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsi.catalog import Catalog, open_catalog
from mapsi.cli import main
from mapsi.errors import NotFoundError, UsageError
from mapsi.web.operator.passwords import LONGEST, SHORTEST, check_password, hash_password

PASSWORD = "a rather long sentence"


def test_an_operator_is_found_in_whatever_letters_the_address_is_typed(catalog: Catalog) -> None:
    added = catalog.accounts.add(" Jin@Example.com ", "a hash")
    assert added.email == "jin@example.com"
    assert catalog.accounts.find("JIN@example.COM ") == catalog.accounts.get(added.id) == added
    assert catalog.accounts.find("jin@example.org") is None
    assert catalog.accounts.get(added.id + 1) is None


def test_there_is_one_operator_of_an_address(catalog: Catalog) -> None:
    catalog.accounts.add("jin@example.com", "one")
    with pytest.raises(UsageError, match="already"):
        catalog.accounts.add("Jin@example.com", "two")
    assert [(one.email, one.password_hash) for one in catalog.accounts.operators()] == [("jin@example.com", "one")]


@pytest.mark.parametrize(
    "text", ["", "jin", "jin@", "@example.com", "a b@example.com", "a@b@c", "x" * 250 + "@a.kr", "a@\x00b"]
)
def test_what_is_no_mail_address_is_refused(catalog: Catalog, text: str) -> None:
    with pytest.raises(UsageError, match="no mail address"):
        catalog.accounts.add(text, "a hash")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400))
def test_looking_for_anything_finds_nobody(migrated_sqlite: Path, text: str) -> None:
    with open_catalog(f"sqlite:///{migrated_sqlite}") as catalog:
        assert catalog.accounts.find(text) is None


def test_who_is_removed_is_no_operator_any_more(catalog: Catalog) -> None:
    added = catalog.accounts.add("jin@example.com", "a hash")
    catalog.accounts.add("min@example.com", "a hash")
    assert catalog.accounts.remove("Jin@example.com") == added
    assert catalog.accounts.get(added.id) is None
    assert [one.email for one in catalog.accounts.operators()] == ["min@example.com"]
    for missing in (catalog.accounts.remove, catalog.accounts.named):
        with pytest.raises(NotFoundError, match="no operator"):
            missing("jin@example.com")
    with pytest.raises(NotFoundError):
        catalog.accounts.change_password("jin@example.com", "a hash")


def test_an_account_does_not_print_its_hash(catalog: Catalog) -> None:
    assert "secret-hash" not in repr(catalog.accounts.add("jin@example.com", "secret-hash"))


def test_a_password_fits_its_hash_and_no_other_does() -> None:
    kept = hash_password(PASSWORD)
    assert kept.startswith("scrypt:32768:8:1$")
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
    longest = hash_password("x" * LONGEST)
    assert check_password(longest, "x" * LONGEST)
    assert not check_password(longest, "x" * 1_000_000)


def test_nobodys_password_costs_as_much_to_check_and_never_fits() -> None:
    def fastest(kept: str) -> float:
        times = []
        for _ in range(4):
            begun = time.process_time()
            assert not check_password(kept, "a guess at the password")
            times.append(time.process_time() - begun)
        return min(times)

    real, nobody = fastest(hash_password(PASSWORD)), fastest("")
    assert 0.6 < nobody / real < 1.7


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
    assert (nothing.exit_code, "no password on standard input" in nothing.output) == (2, True)
    short = run("password", "jin@example.com", "--password-stdin", typed="short\n")
    assert (short.exit_code, "12 to 1,000" in short.output) == (2, True)
    changed = run("password", "jin@example.com", "--password-stdin", typed="another long sentence\n")
    assert (changed.exit_code, "another password" in changed.output) == (0, True)


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

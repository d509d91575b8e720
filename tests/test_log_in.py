"""The log-in of operators and shoppers: who comes in, who does not, and how long one stays."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from mapsi.web.accounts import entrance
from mapsi.web.accounts.passwords import NOBODY, EasyPasswordError, check_password, hash_password
from mapsi.web.operator.pages import BY_SCRIPT
from mapsi.web.request.onward import is_local
from mapsi.web.request.sessions import IDLE
from mapsi.web.state.attempts import FREE, LONGEST, Attempts
from operated import EMAIL, PASSWORD, Desk, log_in, post

WRONG = "The email address or the password is wrong."


@pytest.fixture
def desk(opened_desk: Desk) -> Iterator[Desk]:
    """The house with its one operator, whatever a test did to them."""
    yield opened_desk
    accounts = opened_desk.catalog.accounts
    for one in accounts.all():
        accounts.remove(one.id)
    accounts.add_operator(EMAIL, hash_password(PASSWORD))


@pytest.fixture
def stranger(desk: Desk) -> FlaskClient:
    client = desk.app().test_client()
    client.get("/account/login?lang=en")
    return client


def test_the_operator_comes_in_and_is_named(desk: Desk, stranger: FlaskClient) -> None:
    answer = log_in(stranger, f" {EMAIL.upper()} ")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/operator")
    page = stranger.get("/operator")
    assert page.status_code == 200
    assert EMAIL in page.text
    assert stranger.get("/account/login").headers["Location"] == "/operator"


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(stranger: FlaskClient) -> None:
    wrong = log_in(stranger, password="not the sentence at all")
    unknown = log_in(stranger, "nobody@example.com", "not the sentence at all")
    without = log_in(stranger, "", "")
    for answer in (wrong, unknown, without):
        assert answer.status_code == 403
        assert WRONG in answer.text
        assert stranger.get("/operator").status_code == 303
    changing = re.compile(r'value="[^"]*"| autofocus')
    assert changing.sub("", wrong.text) == changing.sub("", unknown.text)


def test_an_unknown_address_costs_one_check_of_a_password_as_well(
    stranger: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    monkeypatch.setattr(entrance, "check_password", lambda kept, typed: bool(checked.append(kept)))
    log_in(stranger)
    log_in(stranger, "nobody@example.com")
    assert [kept != "" for kept in checked] == [True, False]


def test_nobody_comes_in_with_a_password_that_fits_nobody(
    stranger: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrance, "check_password", lambda kept, typed: True)
    assert log_in(stranger, "nobody@example.com").status_code == 403


def test_a_password_of_nobody_is_as_much_work_as_one_of_somebody(users_hasher: PasswordHasher) -> None:
    assert NOBODY.rpartition("$")[0].startswith(users_hasher.hash(PASSWORD).rpartition("$")[0].rpartition("$")[0])
    assert not check_password("", "nobody's password"), "which is the one that was hashed"


def test_what_was_typed_is_given_back_as_text_but_for_the_password(stranger: FlaskClient) -> None:
    page = log_in(stranger, '"><script>alert(1)</script>', "a secret sentence").text
    assert "<script>alert" not in page
    assert "&#34;&gt;&lt;script&gt;" in page
    assert "a secret sentence" not in page


def test_attempts_are_counted(desk: Desk) -> None:
    client = desk.app(login_rate="3 per minute").test_client()
    client.get("/account/login?lang=en")
    answers = [log_in(client, password="a wrong sentence") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 429]
    assert "Too many attempts" in answers[-1].text
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert log_in(client).status_code == 429, "the right password does not help either"
    assert client.get("/account/login").status_code == 200
    assert client.get("/search").status_code == 200


@pytest.mark.parametrize("address", ["/account/login", "/account/logout", "/operator/index"])
def test_a_form_without_its_token_is_refused(desk: Desk, address: str) -> None:
    client = desk.client()
    answer = client.post(address, data={"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 400
    assert client.get("/operator").status_code == 200, "it did not log out either"
    assert desk.catalog.jobs.all() == []


def test_logging_out_is_a_form_and_no_link(desk: Desk) -> None:
    client = desk.client()
    assert client.get("/account/logout?lang=en").status_code == 405
    answer = post(client, "/account/logout")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/login")
    assert client.get("/operator").headers["Location"].startswith("/account/login")
    assert client.get("/account/login").text.count("You are logged out.") == 1


def test_the_log_in_leads_to_the_page_that_was_asked_for(desk: Desk, stranger: FlaskClient) -> None:
    sent = stranger.get("/operator/sources/haru?page=2")
    assert sent.headers["Location"] == "/account/login?next=/operator/sources/haru?page%3D2"
    form = stranger.get(sent.headers["Location"]).text
    assert 'name="next" value="/operator/sources/haru?page=2"' in form
    answer = log_in(stranger, next="/operator/sources/haru?page=2")
    assert answer.headers["Location"] == "/operator/sources/haru?page=2"


ELSEWHERE = (
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "https://evil.example",
    "javascript:alert(1)",
    "evil.example",
    " /operator",
    "/operator\\..\\evil",
    "",
)


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_led_to_another_site(desk: Desk, target: str) -> None:
    client = desk.app().test_client()
    assert log_in(client, next=target).headers["Location"] == "/operator"
    assert client.get("/account/login", query_string={"next": target}).headers["Location"] == "/operator"


@given(st.text("/\\ .:@?#\t\nabe한", max_size=12))
def test_a_path_of_this_site_stays_on_it(text: str) -> None:
    """Against how browsers read addresses: they drop tabs and line ends, and take a backslash for a slash."""
    seen = "".join(each for each in text if each not in "\t\r\n").strip(" ").replace("\\", "/")
    if is_local(text):
        assert seen.startswith("/")
        assert not seen.startswith("//")


def test_an_idle_session_ends(desk: Desk) -> None:
    client = desk.client()
    desk.clock.advance(IDLE)
    assert client.get("/operator").status_code == 200
    desk.clock.advance(IDLE)
    assert client.get("/operator").status_code == 200, "a page that is asked for keeps it awake"
    desk.clock.advance(IDLE + timedelta(seconds=1))
    assert client.get("/operator").status_code == 303


def test_what_an_open_page_asks_for_by_itself_keeps_nobody_logged_in(desk: Desk) -> None:
    client = desk.client()
    for _ in range(2):
        desk.clock.advance(IDLE / 2)
        assert client.get("/operator/live", headers={BY_SCRIPT: "1"}).status_code == 200
        assert client.get("/operator", headers={BY_SCRIPT: "1"}).status_code == 200
    desk.clock.advance(timedelta(seconds=1))
    assert client.get("/operator/live", headers={BY_SCRIPT: "1"}).status_code == 401


def test_a_removed_operators_session_ends_at_once(desk: Desk) -> None:
    client = desk.client()
    desk.catalog.accounts.remove_operator(EMAIL)
    assert client.get("/operator").status_code == 303
    desk.catalog.accounts.add_operator(EMAIL, hash_password(PASSWORD))
    assert client.get("/operator").status_code == 303


def test_another_password_ends_the_sessions_of_the_old_one(desk: Desk) -> None:
    client = desk.client()
    desk.catalog.accounts.change_password(EMAIL, hash_password("another long sentence"))
    assert client.get("/operator/live").status_code == 401
    assert log_in(client).status_code == 403
    assert log_in(client, password="another long sentence").status_code == 303


def test_a_copied_cookie_is_dead_after_logging_out(desk: Desk) -> None:
    client, thief = desk.client(), desk.app().test_client()
    kept = client.get_cookie("mapsi")
    assert kept is not None
    thief.set_cookie("mapsi", kept.value)
    assert thief.get("/operator").status_code == 200
    post(client, "/account/logout")
    assert thief.get("/operator").status_code == 303


def test_a_shopper_comes_in_and_is_no_operator(desk: Desk, stranger: FlaskClient) -> None:
    desk.catalog.accounts.open("mina@example.com", hash_password(PASSWORD), "en")
    answer = log_in(stranger, "mina@example.com")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert "mina@example.com" in stranger.get("/account").text
    refused = stranger.get("/operator")
    assert refused.status_code == 403
    assert "These pages are for operators" in refused.text
    assert stranger.get("/operator/live").status_code == 403
    desk.clock.advance(timedelta(days=30))
    assert stranger.get("/account").status_code == 200, "a shopper stays logged in for weeks"
    desk.clock.advance(timedelta(days=61))
    assert stranger.get("/account").status_code == 303


def test_a_session_tells_nothing_of_the_password(desk: Desk) -> None:
    client = desk.client()
    with client.session_transaction() as session:
        assert set(session["account"]) == {"token", "seen"}
        assert session["account"]["token"] not in desk.catalog.accounts.named(EMAIL).password_hash


def test_who_guesses_from_many_addresses_waits_longer_and_longer(desk: Desk) -> None:
    app = desk.app(trusted_proxies=1, login_rate="1000 per minute")

    def guess(email: str, number: int) -> TestResponse:
        client = app.test_client()
        client.environ_base["HTTP_X_FORWARDED_FOR"] = f"203.0.113.{number}"
        return log_in(client, email, "a wrong sentence")

    for email in (EMAIL, "nobody@example.com"):
        assert [guess(email, number).status_code for number in range(FREE)] == [403] * FREE
        refused = guess(f" {email.upper()}", 99)
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
    assert guess("other@example.com", 99).status_code == 403


def test_failures_double_the_waiting_up_to_a_bound_and_success_forgets_them() -> None:
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    waits = []
    for _ in range(FREE + 12):
        waits.append(attempts.begin("a"))
        now[0] += waits[-1]
        if waits[-1]:
            assert attempts.begin("a") == 0.0
    assert waits[: FREE + 3] == [0.0] * FREE + [1.0, 2.0, 4.0]
    assert waits[-1] == LONGEST
    assert attempts.begin("b") == 0.0
    attempts.succeed("a")
    assert [attempts.begin("a") for _ in range(FREE)] == [0.0] * FREE


def test_of_many_tries_at_once_no_more_are_let_through_than_one_by_one() -> None:
    attempts = Attempts(lambda: 0.0)
    with ThreadPoolExecutor(16) as threads:
        waits = list(threads.map(lambda _: attempts.begin("a"), range(100)))
    assert waits.count(0.0) == FREE


@pytest.mark.parametrize("typed", [" a@b.com", "A@B.COM", "a@b.com" + " " * 300, " " * 250 + "a@b.com"])
def test_an_account_is_counted_as_it_is_found(typed: str) -> None:
    attempts = Attempts(lambda: 0.0)
    for _ in range(FREE):
        attempts.begin("a@b.com")
    assert attempts.begin(typed) > 0


def test_an_address_of_korean_letters_is_the_same_from_every_keyboard(desk: Desk) -> None:
    desk.catalog.accounts.open("진@example.com", hash_password(PASSWORD), "ko")
    apart = unicodedata.normalize("NFD", "진@example.com")
    known = desk.catalog.accounts.find(apart)
    assert known is not None
    assert known.email == "진@example.com"
    attempts = Attempts(lambda: 0.0)
    assert [attempts.begin(apart if number % 2 else known.email) > 0 for number in range(FREE + 1)] == [False] * FREE + [True]  # fmt: skip


def test_who_took_over_a_session_may_not_try_passwords_for_ever(desk: Desk) -> None:
    client = desk.app(login_rate="1000 per minute").test_client()
    client.get("/account/login?lang=en")
    log_in(client)
    for address in ("/account/password", "/account/delete"):
        codes = [post(client, address, page="/account", password="a wrong one").status_code for _ in range(FREE + 1)]
        assert codes == ([403] * FREE + [429] if address.endswith("password") else [429] * (FREE + 1))
    refused = post(client, "/account/password", page="/account", password=PASSWORD, new="another long sentence")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert "Too many attempts" in refused.text
    stranger = desk.app().test_client()
    stranger.get("/account/login")
    assert log_in(stranger).status_code == 303, "the log-in counts by itself"


EASY = (
    "password1234",
    "qwertyuiop12",
    "123456789012",
    "aaaaaaaaaaaa",
    "iloveyou1234",
    EMAIL,
    "비밀번호비밀번호비밀번호",
    "dkssudgktpdydkssud",
    "tkfkdgodyqlalfqjsgh",
)


@pytest.mark.parametrize("password", EASY)
def test_a_password_that_is_easy_to_guess_is_refused(password: str) -> None:
    with pytest.raises(EasyPasswordError, match="easy to guess"):
        hash_password(password, EMAIL)


@pytest.mark.parametrize("password", ["a rather long sentence", "나는 매일 아침 커피를 마신다", "x7!kQ9-zR2#m"])
def test_a_password_of_ones_own_is_taken(password: str) -> None:
    assert check_password(hash_password(password, EMAIL), password)


def test_the_cookie_is_for_this_site_and_no_script(desk: Desk) -> None:
    client = desk.app(behind_tls=True).test_client()
    answer = client.get("/account/login", base_url="https://localhost")
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith("mapsi="))
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))


def test_without_an_operator_the_log_in_says_how_to_make_one(desk: Desk, stranger: FlaskClient) -> None:
    command = "mapsi operator add name@example.com"
    assert command not in stranger.get("/account/login?next=/operator").text
    desk.catalog.accounts.remove_operator(EMAIL)
    assert command in stranger.get("/account/login?next=/operator").text
    assert log_in(stranger).status_code == 303, "the account is a shopper's now"
    assert stranger.get("/operator").status_code == 403


def test_nobody_else_sees_anything(desk: Desk, stranger: FlaskClient) -> None:
    """Every address of the operator's, found in the routes themselves, so that a new one is not forgotten."""
    app = stranger.application
    open_to_all = {"operator.static"}
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("operator.")]
    rules = [rule for rule in rules if rule.endpoint not in open_to_all]
    assert {rule.endpoint for rule in rules} >= {
        "operator.overview",
        "operator.live",
        "operator.run",
        "operator.accept",
    }
    token = re.search(r'name="csrf_token" value="([^"]+)"', stranger.get("/account/login").text)
    assert token is not None
    for rule in rules:
        address = re.sub(r"<[^>]+>", "1", rule.rule)
        for method in (rule.methods or set()) - {"OPTIONS"}:
            answer = stranger.open(address, method=method, data={"csrf_token": token[1]} if method == "POST" else None)
            if rule.endpoint == "operator.live":
                assert answer.status_code == 401
            else:
                assert answer.status_code == 303, (method, address)
                assert answer.headers["Location"].startswith("/account/login")
            assert answer.headers["Cache-Control"] == "no-store"
            assert "haru" not in answer.text.lower().replace("next=/operator/sources/haru", "").replace(
                "axis%3e/haru", ""
            )
    assert desk.catalog.jobs.all() == []


def test_a_script_that_nobody_is_logged_in_for_is_told_so(stranger: FlaskClient) -> None:
    answer = stranger.get("/operator", headers={BY_SCRIPT: "1"})
    assert answer.status_code == 401
    assert answer.json is not None
    assert answer.json["error"]["code"] == "not_logged_in"


def test_pictures_and_style_sheets_are_nobodys_own(desk: Desk) -> None:
    """A cache may share them: reading the session for them would mark them as different from visitor to visitor."""
    client = desk.client()
    page = client.get("/operator").text
    sheet = re.search(r'href="(/operator/assets/operator.css[^"]*)"', page)
    picture = re.search(r'src="(/pictures/[^"]+)"', client.get("/search").text)
    assert sheet is not None
    assert picture is not None
    for address in (sheet[1], picture[1]):
        with client.get(address) as answer:
            assert answer.headers["Cache-Control"].startswith("public, max-age=31536000")
            assert "Cookie" not in answer.headers.get("Vary", "")

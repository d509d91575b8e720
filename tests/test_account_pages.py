"""The pages of accounts: opened by a link, kept by a password, gone with everything in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mapsi.catalog import Catalog
from mapsi.web.accounts.emails import EmailWriter
from mapsi.web.accounts.links import sign_stop
from mapsi.web.accounts.passwords import hash_password
from mapsi.web.state.services import current_services
from operated import log_in, post
from refreshing import Clock
from small_house import CopiedHouse, House
from test_saved import hearts, press

EMAIL = "mina@example.com"
PASSWORD = "a rather long sentence"
OTHER = "quite another sentence"


@pytest.fixture(scope="module")
def house(copied_house: CopiedHouse) -> Iterator[House]:
    with copied_house(Clock()) as opened:
        yield opened


@pytest.fixture
def catalog(house: House) -> Catalog:
    """The catalogue, without accounts at the start."""
    catalog = house.catalog
    for one in catalog.accounts.all():
        catalog.accounts.remove(one.id)
    return catalog


@pytest.fixture
def client(house: House, catalog: Catalog) -> FlaskClient:
    return browser(house)


def browser(house: House, **settings: object) -> FlaskClient:
    client = house.app(login_rate="1000 per minute", **settings).test_client()
    client.get("/about?lang=en")
    return client


def send(client: FlaskClient, address: str, page: str, **fields: str) -> TestResponse:
    return post(client, address, page=page, **fields)


def link_for(client: FlaskClient, catalog: Catalog, email: str = EMAIL) -> str:
    key = client.application.config["SECRET_KEY"]
    return EmailWriter(catalog, secret_key=key, public_url="", sender="a@b.kr").password_link(email)


def opened(client: FlaskClient, catalog: Catalog) -> FlaskClient:
    """A browser whose person has just opened an account by a link."""
    link = link_for(client, catalog)
    assert send(client, link, link, password=PASSWORD).headers["Location"] == "/account"
    return client


def test_an_account_is_opened_by_a_link_and_what_the_device_saved_comes_along(
    house: House, client: FlaskClient, catalog: Catalog
) -> None:
    product = next(iter(hearts(client.get("/search"))))
    press(client, product)
    opened(client, catalog)
    assert EMAIL in client.get("/account").text
    assert hearts(client.get("/saved")) == {product: True}
    assert client.get_cookie("saved") is None
    elsewhere = browser(house)
    assert hearts(elsewhere.get("/saved")) == {}
    log_in(elsewhere, EMAIL, PASSWORD)
    assert hearts(elsewhere.get("/saved")) == {product: True}
    press(elsewhere, product, page="/saved")
    assert hearts(client.get("/saved")) == {}


def test_nothing_tells_whether_an_address_is_known(house: House, client: FlaskClient, catalog: Catalog) -> None:
    catalog.accounts.open(EMAIL, hash_password(PASSWORD), "en")
    for page in ("/account/new", "/account/forgotten"):
        answers = [send(client, "/account/link", page, email=email) for email in (EMAIL, "nobody@example.com")]
        assert {(one.status_code, one.headers["Location"], len(one.text)) for one in answers} == {
            (303, "/account/asked", len(answers[0].text))
        }
    waiting = catalog.emails.waiting()
    assert [(one.kind, one.address) for one in waiting[-2:]] == [
        ("password", EMAIL),
        ("password", "nobody@example.com"),
    ]
    assert any(one.job.kind == "mail" for one in catalog.jobs.all())
    assert "its operator" in client.get("/account/new").text.replace("this shop sends no mail: ", "").lower()
    assert "We send you a link" in browser(house, smtp="smtp://localhost").get("/account/new").text


def test_what_is_no_address_is_told_beside_the_field(client: FlaskClient) -> None:
    for email in ("", "mina", "a,b@example.com", "a@b\r\nBcc: c@d.kr"):
        answer = send(client, "/account/link", "/account/new", email=email)
        assert answer.status_code == 400
        assert "This is not an email address" in answer.text


def test_a_short_password_is_told_and_the_link_stays_good(client: FlaskClient, catalog: Catalog) -> None:
    link = link_for(client, catalog)
    answer = send(client, link, link, password="short")
    assert answer.status_code == 400
    assert "12 to 1000 characters" in answer.text
    assert catalog.accounts.all() == []
    assert send(client, link, link, password=PASSWORD).status_code == 303


def test_a_form_sent_twice_leads_to_the_account_that_it_opened(client: FlaskClient, catalog: Catalog) -> None:
    link = link_for(client, catalog)
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(link).text)
    assert token is not None
    first, second = (
        client.post(link, data={"csrf_token": token[1] if first_time else _token(client), "password": PASSWORD})
        for first_time in (True, False)
    )
    assert first.headers["Location"] == second.headers["Location"] == "/account"
    assert len(catalog.accounts.all()) == 1


def pressed_twice(client: FlaskClient, address: str, page: str, **fields: str) -> TestResponse:
    """What the second of two presses is told. The browser left the first one's answer, and sends what it had before."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text)
    cookie = client.get_cookie("mapsi")
    assert found is not None
    assert cookie is not None
    assert client.post(address, data={"csrf_token": found[1], **fields}).status_code == 303
    client.set_cookie("mapsi", cookie.value)
    return client.post(address, data={"csrf_token": found[1], **fields}, follow_redirects=True)


def test_a_second_press_that_did_not_wait_for_the_first_is_told_what_that_one_did(
    house: House, client: FlaskClient, catalog: Catalog
) -> None:
    link = link_for(client, catalog)
    chosen = pressed_twice(client, link, link, password=PASSWORD)
    assert "If you have just chosen a password, log in with it" in chosen.text
    log_in(client, EMAIL, PASSWORD)
    changed = pressed_twice(client, "/account/password", "/account", password=PASSWORD, new=OTHER)
    assert "If you have just changed the password, log in with the new one" in changed.text
    assert "nothing was changed" not in changed.text
    log_in(client, EMAIL, OTHER)
    gone = pressed_twice(client, "/account/delete", "/account", password=OTHER)
    assert "If you have just deleted the account, it is gone" in gone.text


def test_a_form_that_is_out_of_date_leads_to_where_its_effect_is_seen(client: FlaskClient, catalog: Catalog) -> None:
    for address in ("/account/password", "/account/searches", "/account/login", "/account/link"):
        answer = client.post(address, data={"csrf_token": "of another session"})
        assert answer.status_code == 400
        assert 'href="/account">Your account' in answer.text
    assert 'href="/">To the front page' in client.post("/share", data={"csrf_token": "x"}).text


def _token(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
    assert found is not None
    return found[1]


def test_a_stolen_or_old_link_is_a_sentence(house: House, client: FlaskClient, catalog: Catalog) -> None:
    link = link_for(client, catalog)
    opened(client, catalog)
    for dead in (link, "/account/password/guessed", "/account/password/%ED%95%9C"):
        answer = browser(house).get(dead)
        assert answer.status_code == 410
        assert "too old or has already been used" in answer.text
        assert 'href="/account/forgotten">Get a new link' in answer.text, "what to do is one tap away"
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_link_that_stops_nothing_leads_to_the_account(client: FlaskClient) -> None:
    answer = client.get("/account/emails/guessed")
    assert answer.status_code == 410
    assert 'href="/account">Your account' in answer.text
    assert "Ask for a new one" not in answer.text


def test_another_password_needs_the_present_one_and_logs_other_browsers_out(
    house: House, client: FlaskClient, catalog: Catalog
) -> None:
    opened(client, catalog)
    elsewhere = browser(house)
    log_in(elsewhere, EMAIL, PASSWORD)
    wrong = send(client, "/account/password", "/account", password="not the sentence", new=OTHER)
    assert (wrong.status_code, "current password is wrong" in wrong.text) == (403, True)
    short = send(client, "/account/password", "/account", password=PASSWORD, new="short")
    assert (short.status_code, "12 to 1000" in short.text) == (400, True)
    for _ in range(2):  # sent twice, the second time finds it done
        changed = send(client, "/account/password", "/account", password=PASSWORD, new=OTHER)
        assert changed.status_code == 303
        assert "Your password has been changed" in client.get("/account").text
    assert elsewhere.get("/account").status_code == 303
    assert log_in(elsewhere, EMAIL, PASSWORD).status_code == 403
    assert log_in(elsewhere, EMAIL, OTHER).status_code == 303
    send(client, "/account/elsewhere", "/account")
    assert (client.get("/account").status_code, elsewhere.get("/account").status_code) == (200, 303)


def test_everything_is_taken_along_as_one_document(client: FlaskClient, catalog: Catalog) -> None:
    product = next(iter(hearts(client.get("/search"))))
    press(client, product)
    opened(client, catalog)
    answer = client.get("/account/export.json")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.json is not None
    assert answer.json["account"]["email"] == EMAIL
    assert [one["product"] for one in answer.json["saved"]] == [product]
    assert "argon2" not in answer.text


def test_an_account_is_deleted_with_the_password_and_everything_goes(
    house: House, client: FlaskClient, catalog: Catalog
) -> None:
    opened(client, catalog)
    elsewhere = browser(house)
    log_in(elsewhere, EMAIL, PASSWORD)
    page = elsewhere.get("/account")
    wrong = send(client, "/account/delete", "/account", password="not the sentence")
    assert wrong.status_code == 403
    gone = send(client, "/account/delete", "/account", password=PASSWORD)
    assert gone.status_code == 303
    assert catalog.accounts.all() == []
    assert log_in(client, EMAIL, PASSWORD).status_code == 403
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    late = elsewhere.post("/account/wishes", data={"csrf_token": token[1], "mail": "1"})
    assert (late.status_code, late.headers["Location"]) == (303, "/account/login")
    assert "nothing was changed" in elsewhere.get("/account/login").text
    product = next(iter(hearts(elsewhere.get("/search"))))
    press(elsewhere, product)
    assert hearts(elsewhere.get("/saved")) == {product: True}, "kept on the device again"


def test_deleting_an_account_twice_says_that_it_is_gone(house: House, client: FlaskClient, catalog: Catalog) -> None:
    opened(client, catalog)
    elsewhere = browser(house)
    log_in(elsewhere, EMAIL, PASSWORD)
    page = elsewhere.get("/account").text  # as a second press of the button finds it: logged in, with its token
    send(client, "/account/delete", "/account", password=PASSWORD)
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
    again = elsewhere.post("/account/delete", data={"csrf_token": token, "password": PASSWORD})
    assert (again.status_code, again.headers["Location"]) == (303, "/account/login")
    assert "deleted the account, it is gone" in elsewhere.get("/account/login").text


def test_nobody_sees_an_account_who_is_not_logged_in(client: FlaskClient) -> None:
    rules = [rule for rule in client.application.url_map.iter_rules() if rule.endpoint.startswith("account.")]
    assert len(rules) >= 6
    for rule in rules:
        address = rule.rule.replace("<int:search_id>", "1")
        for method in (rule.methods or set()) - {"OPTIONS"}:
            data = {"csrf_token": _login_token(client)} if method == "POST" else None
            answer = client.open(address, method=method, data=data)
            assert answer.status_code == 303, rule.rule
            assert answer.headers["Location"].startswith("/account/login")
            assert answer.headers["Cache-Control"] == "no-store"
            if method == "POST":
                assert client.post(address).status_code == 400, "without the form's token"


def _login_token(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account/login").text)
    assert found is not None
    return found[1]


def test_emails_and_passwords_share_one_limit(house: House, catalog: Catalog) -> None:
    client = house.app(login_rate="2 per minute").test_client()
    client.get("/about?lang=en")
    codes = [send(client, "/account/link", "/account/new", email=f"{n}@example.com").status_code for n in range(3)]
    assert codes == [303, 303, 429]
    assert log_in(client, EMAIL, PASSWORD).status_code == 429


def test_mail_about_prices_is_offered_where_mail_can_be_sent(house: House, catalog: Catalog) -> None:
    client = opened(browser(house, smtp="smtp://localhost"), catalog)
    assert "becomes cheaper" in client.get("/account").text
    send(client, "/account/wishes", "/account", mail="1")
    assert catalog.accounts.named(EMAIL).wants_mail
    send(client, "/account/wishes", "/account")
    assert not catalog.accounts.named(EMAIL).wants_mail


def test_pages_are_shown_while_the_catalogue_cannot_say_who_is_logged_in(
    client: FlaskClient, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mapsi.errors import CatalogError

    opened(client, catalog)

    def broken(token: str) -> None:
        raise CatalogError("The database is away.")

    monkeypatch.setattr(catalog.sessions, "find", broken)
    assert client.get("/about").status_code == 200
    assert client.get("/account").status_code == 503


# --- kept searches and history


def test_a_search_is_kept_once_without_its_page_and_dropped(client: FlaskClient, catalog: Catalog) -> None:
    opened(client, catalog)
    page = client.get("/search?q=dress&shop=haru&lang=en").text
    form = re.search(r'action="/account/searches".*?</form>', page, re.DOTALL)
    assert form is not None
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[0]))
    fields["search"] = fields["search"].replace("&amp;", "&") + "&page=3"
    for _ in range(2):
        answer = client.post("/account/searches", data=fields)
        assert answer.headers["Location"] == "/search?q=dress&shop=haru"
    listed = client.get("/account/searches").text
    assert listed.count('href="/search?q=dress&amp;shop=haru"') == 1
    assert "dress · Haru" in listed
    (kept,) = catalog.peoples_searches.of(catalog.accounts.named(EMAIL).id)
    exported = client.get("/account/export.json").json
    assert exported is not None
    assert exported["searches"] == [{"name": "dress · Haru", "query": kept.query, "made_at": kept.made_at.isoformat()}]
    send(client, f"/account/searches/{kept.id}/drop", "/account/searches")
    assert catalog.peoples_searches.of(catalog.accounts.named(EMAIL).id) == []


def test_a_search_kept_from_anywhere_else_leads_to_the_search_all_the_same(
    client: FlaskClient, catalog: Catalog
) -> None:
    opened(client, catalog)
    for address in ("//evil.example/?q=x", "https://evil.example/?q=x", "javascript:alert(1)?q=x"):
        answer = send(client, "/account/searches", "/account/searches", search=address, name="x")
        assert answer.headers["Location"] == "/search?q=x"
    too_long = send(client, "/account/searches", "/account/searches", search="/search?q=" + "x" * 2000, name="x")
    assert too_long.headers["Location"] == "/account/searches"
    assert "no room" in client.get("/account/searches").text


def test_history_is_kept_only_where_it_is_switched_on_and_goes_when_it_is_switched_off(
    house: House, catalog: Catalog
) -> None:
    app = house.app(login_rate="1000 per minute")
    client = app.test_client()
    client.get("/about?lang=en")
    opened(client, catalog)
    account = catalog.accounts.named(EMAIL)
    client.get("/search?q=before")
    send(client, "/account/searches/history", "/account/searches", keep="1")
    client.get("/search?q=linen+shirt")
    client.get("/search?q=linen+shirt&shop=haru&page=1")
    with app.app_context():
        current_services().notes.close()
    assert [one.words for one in catalog.peoples_searches.history(account.id)] == ["linen shirt"]
    assert "linen shirt" in client.get("/account/searches").text
    send(client, "/account/searches/history", "/account/searches", clear="1")
    assert catalog.peoples_searches.history(account.id) == []
    assert catalog.accounts.named(EMAIL).keeps_history
    catalog.peoples_searches.remember(account.id, "again")
    send(client, "/account/searches/history", "/account/searches", keep="0")
    assert catalog.peoples_searches.history(account.id) == []
    catalog.peoples_searches.remember(account.id, "after")
    assert catalog.peoples_searches.history(account.id) == []


def test_emails_are_stopped_by_their_link_without_a_log_in_and_by_nothing_that_only_looks(
    house: House, catalog: Catalog, client: FlaskClient
) -> None:
    account = catalog.accounts.open(EMAIL, hash_password(PASSWORD, EMAIL), "en")
    catalog.accounts.want_mail(account.id, wanted=True)
    link = f"/account/emails/{sign_stop(client.application.config['SECRET_KEY'], account.email)}"
    assert "Stop the emails about prices?" in client.get(link).text
    assert catalog.accounts.named(EMAIL).wants_mail
    for _ in range(2):
        mail_program = house.app().test_client(use_cookies=False)
        answer = mail_program.post(link, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert not catalog.accounts.named(EMAIL).wants_mail
    catalog.accounts.remove(account.id)
    assert client.post(link).status_code == 200


def test_a_link_of_before_an_account_was_deleted_opens_no_new_one(
    house: House, client: FlaskClient, catalog: Catalog
) -> None:
    links = [link_for(client, catalog), link_for(client, catalog)]
    send(client, links[0], links[0], password=PASSWORD)
    other = browser(house)
    page = other.get(links[1])
    assert page.status_code == 410
    send(client, "/account/delete", "/account", password=PASSWORD)
    for link in links:
        assert client.get(link).status_code == 410
        late = send(other, link, "/account/login", password=OTHER)
        assert (late.status_code, late.headers["Location"]) == (303, "/account/login")
    assert catalog.accounts.all() == []
    later = link_for(client, catalog)
    assert send(client, later, later, password=PASSWORD).status_code == 303


@pytest.mark.parametrize(("language", "wished"), [("ko", "en"), ("en", "ko")])
def test_a_link_speaks_the_language_of_its_email_where_none_was_chosen(
    house: House, client: FlaskClient, catalog: Catalog, language: str, wished: str
) -> None:
    def of(answer: TestResponse) -> str | None:
        return answer.headers.get("Content-Language")

    key = client.application.config["SECRET_KEY"]
    link = EmailWriter(catalog, secret_key=key, public_url="", sender="a@b.kr").password_link(EMAIL, language)
    elsewhere = house.app(login_rate="1000 per minute").test_client()
    wishes = {"Accept-Language": wished}
    assert of(elsewhere.get(link, headers=wishes)) == language
    assert of(elsewhere.get("/account/login", headers=wishes)) == language, "and so does what follows"
    catalog.accounts.open(EMAIL, hash_password(PASSWORD), language)
    used = house.app().test_client().get(link, headers=wishes)
    assert (used.status_code, of(used)) == (410, language)
    chosen = house.app().test_client()
    chosen.get(f"/about?lang={wished}")
    assert of(chosen.get(link)) == wished, "what was chosen here goes before"
    assert of(chosen.get("/nothing")) == wished


def test_the_language_of_an_account_is_spoken_after_the_log_in_and_emails_follow_the_one_chosen_since(
    house: House, catalog: Catalog
) -> None:
    catalog.accounts.open(EMAIL, hash_password(PASSWORD), "ko")
    fresh = house.app(login_rate="1000 per minute").test_client()
    english = {"Accept-Language": "en"}
    assert fresh.get("/account/login", headers=english).headers["Content-Language"] == "en"
    log_in(fresh, EMAIL, PASSWORD)
    assert fresh.get("/account", headers=english).headers["Content-Language"] == "ko"
    assert catalog.accounts.named(EMAIL).language == "ko"
    fresh.get("/about?lang=en")
    assert catalog.accounts.named(EMAIL).language == "en"
    fresh.get("/about?in=ko")
    assert (catalog.accounts.named(EMAIL).language, fresh.get("/").headers["Content-Language"]) == ("en", "en")
    chosen = browser(house)
    catalog.accounts.write_in(catalog.accounts.named(EMAIL).id, "ko")
    log_in(chosen, EMAIL, PASSWORD)
    assert chosen.get("/account").headers["Content-Language"] == "en", "chosen in this browser before"


@pytest.mark.parametrize("token", ["x", "MQ.forged", "eyJ4IjoxfQ.aaaa"])
def test_a_guessed_link_stops_nobodys_emails(client: FlaskClient, token: str) -> None:
    assert client.get(f"/account/emails/{token}").status_code == 410
    assert client.post(f"/account/emails/{token}").status_code == 410

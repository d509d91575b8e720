"""Emails: written in the language of whom they are for, sent by a real server, and never lost where it is down."""

from __future__ import annotations

import hashlib
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, get_args

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from click.testing import CliRunner

from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.people.emails import LIFE, PAUSES, EmailKind
from mapsi.catalog.query import Query
from mapsi.cli import main
from mapsi.errors import SettingError
from mapsi.mailing import MailError, MailServer, read_mail_server
from mapsi.web.accounts.emails import EmailWriter
from mapsi.web.accounts.links import LIFE as LINK_LIFE
from mapsi.web.accounts.links import LinkOverError, read_link, read_stop, remove_account, sign_stop
from mapsi.work.emails import send_emails
from mapsi.work.price_drops import ask_for_emails
from offers import offer, take_in
from refreshing import Clock
from servers import free_port

KEY = "a key for tests" * 3
URL = "https://shop.example"


@dataclass
class Box:
    """What a mail server on this machine took in. It refuses who is in ``refused``, with the answer there."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content or b"", policy=policy.default)  # type: ignore[arg-type]
        assert isinstance(mail, EmailMessage)
        mail["X-Encrypted"] = str(session.ssl is not None)
        mail["X-User"] = str(session.auth_data)
        self.mails.append(mail)
        return "250 OK"

    @property
    def server(self) -> MailServer:
        return MailServer("127.0.0.1", self.port, False)


@contextmanager
def mail_server(**more: Any) -> Iterator[Box]:
    """A real SMTP server on a free port of this machine."""
    box = Box(port=free_port())
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **more)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def running() -> Iterator[Box]:
    with mail_server() as box:
        yield box


@pytest.fixture
def box(running: Box) -> Box:
    running.mails.clear()
    running.refused.clear()
    return running


def writer(catalog: Catalog) -> EmailWriter:
    return EmailWriter(catalog, secret_key=KEY, public_url=URL, sender="Mapsi <mapsi@shop.example>")


def send(catalog: Catalog, server: MailServer) -> tuple[int, list[str]]:
    said: list[str] = []
    return send_emails(catalog, server, writer(catalog).write, said.append), said


def link_in(mail: EmailMessage) -> str:
    found = re.search(rf"{URL}/account/password/([^?\s]+)", mail.get_content())
    assert found is not None
    return found[1]


def test_an_email_brings_a_link_in_the_language_of_whom_it_is_for(catalog: Catalog, box: Box, clock: Clock) -> None:
    assert catalog.emails.put("password", "mina@example.com", "ko")
    assert catalog.emails.put("password", "joan@example.com", "en")
    assert send(catalog, box.server) == (2, [])
    korean, english = box.mails
    assert (korean["To"], korean["From"]) == ("mina@example.com", "Mapsi <mapsi@shop.example>")
    assert "비밀번호" in korean["Subject"]
    assert "Your password" in english["Subject"]
    assert read_link(catalog, KEY, link_in(korean), clock()) == "mina@example.com"
    assert [re.findall(r"\?in=(\w+)", mail.get_content()) for mail in (korean, english)] == [["ko"], ["en"]]
    assert catalog.emails.waiting() == []
    assert send(catalog, box.server) == (0, [])


def test_nobodys_box_is_flooded(catalog: Catalog, clock: Clock, box: Box) -> None:
    assert catalog.emails.put("password", "mina@example.com", "ko")
    for _ in range(3):
        assert not catalog.emails.put("password", "mina@example.com", "en")
    send(catalog, box.server)
    assert not catalog.emails.put("password", "mina@example.com", "ko")
    clock.advance(PAUSES["password"] + timedelta(seconds=1))
    assert catalog.emails.put("password", "mina@example.com", "ko")


def test_no_more_emails_wait_than_there_is_room_for(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapsi.catalog.people.emails.MOST", 2)
    answers = [catalog.emails.put("password", f"{number}@example.com", "ko") for number in range(3)]
    assert answers == [True, True, False]


def test_emails_wait_while_the_server_is_down_and_are_given_up_when_they_are_no_longer_true(
    catalog: Catalog, box: Box, clock: Clock
) -> None:
    catalog.emails.put("password", "mina@example.com", "ko")
    with pytest.raises(MailError, match="cannot be used"):
        send(catalog, MailServer("127.0.0.1", free_port(), False))
    assert len(catalog.emails.waiting()) == 1
    clock.advance(timedelta(hours=5))
    assert send(catalog, box.server)[0] == 1
    assert read_link(catalog, KEY, link_in(box.mails[0]), clock()), "the link is made when the email is sent"
    catalog.emails.put("password", "old@example.com", "ko")
    clock.advance(LIFE + timedelta(seconds=1))
    catalog.emails.put("password", "new@example.com", "ko")
    assert [email.address for email in catalog.emails.waiting()] == ["new@example.com"]


def test_an_email_that_is_refused_for_good_is_dropped_and_one_that_is_refused_for_now_waits(
    catalog: Catalog, box: Box
) -> None:
    box.refused = {"gone@example.com": "550 no such box", "busy@example.com": "450 later"}
    for name in ("gone", "mina", "busy"):
        catalog.emails.put("password", f"{name}@example.com", "ko")
    with pytest.raises(MailError):
        send(catalog, box.server)
    assert [mail["To"] for mail in box.mails] == ["mina@example.com"]
    assert [email.address for email in catalog.emails.waiting()] == ["busy@example.com"]


def test_a_password_goes_over_an_encrypted_connection_only(catalog: Catalog, box: Box) -> None:
    catalog.emails.put("password", "mina@example.com", "ko")
    with pytest.raises(MailError, match="no encryption"):
        send(catalog, MailServer("127.0.0.1", box.port, False, "user", "secret"))
    assert "secret" not in repr(MailServer("127.0.0.1", box.port, False, "user", "secret"))


def test_over_starttls_the_server_is_logged_in_to(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    make += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    def known(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword) -> AuthResult:
        return AuthResult(success=data == LoginPassword(b"user", b"p@ss"), auth_data="user")

    catalog.emails.put("password", "mina@example.com", "ko")
    with mail_server(tls_context=context, authenticator=known, auth_required=True) as box:
        assert send(catalog, read_mail_server(f"smtp://user:p%40ss@127.0.0.1:{box.port}")) == (1, [])
    assert (box.mails[0]["X-Encrypted"], box.mails[0]["X-User"]) == ("True", "user")


@pytest.mark.parametrize(
    "text", ["mail.example.com", "http://mail.example.com", "smtp://", "smtp://host:x", "smtp://h/x"]
)
def test_what_is_no_mail_server_is_reported(text: str) -> None:
    with pytest.raises(SettingError, match="MAPSI_SMTP"):
        read_mail_server(text)


def test_a_link_is_good_for_a_while_and_once(catalog: Catalog, clock: Clock) -> None:
    def link() -> str:
        return token_for(catalog)

    first = link()
    assert read_link(catalog, KEY, first, clock()) == "mina@example.com"
    account = catalog.accounts.open("mina@example.com", "a hash", "ko")
    second = link()
    spoilt = second[:-1] + ("a" if second[-1] != "a" else "b")
    for dead in (first, spoilt, "", "한글", read_other_key(catalog)):
        with pytest.raises(LinkOverError):
            read_link(catalog, KEY, dead, clock())
    assert read_link(catalog, KEY, second, clock()) == "mina@example.com"
    catalog.accounts.remove(account.id)
    with pytest.raises(LinkOverError):
        read_link(catalog, KEY, second, clock())
    third = link()
    clock.advance(timedelta(hours=2, seconds=1))
    with pytest.raises(LinkOverError):
        read_link(catalog, KEY, third, clock())


def token_for(catalog: Catalog, address: str = "mina@example.com") -> str:
    return writer(catalog).password_link(address).rpartition("/")[2]


def test_links_of_before_an_account_was_deleted_stay_dead_and_later_ones_work(catalog: Catalog, clock: Clock) -> None:
    before = [token_for(catalog), token_for(catalog)]
    account = catalog.accounts.open(read_link(catalog, KEY, before[0], clock()), "a hash", "ko")
    before.append(token_for(catalog))
    remove_account(catalog, KEY, account)
    for dead in before:
        with pytest.raises(LinkOverError):
            read_link(catalog, KEY, dead, clock())
    after = token_for(catalog)
    assert read_link(catalog, KEY, after, clock()) == "mina@example.com"
    again = catalog.accounts.open("mina@example.com", "another hash", "ko")
    remove_account(catalog, KEY, again)
    for dead in (*before, after):
        with pytest.raises(LinkOverError):
            read_link(catalog, KEY, dead, clock())
    late = token_for(catalog)
    clock.advance(timedelta(hours=1, minutes=59))
    latest = token_for(catalog)
    clock.advance(timedelta(minutes=2))
    for dead in (*before, after, late):
        with pytest.raises(LinkOverError):
            read_link(catalog, KEY, dead, clock())
    assert read_link(catalog, KEY, latest, clock()) == "mina@example.com", "what is kept went before the link did"


def test_links_for_other_addresses_do_not_die_with_an_account(catalog: Catalog, clock: Clock) -> None:
    new, known = token_for(catalog, "jin@example.com"), catalog.accounts.open("min@example.com", "a hash", "ko")
    link = token_for(catalog, known.email)
    remove_account(catalog, KEY, catalog.accounts.open("mina@example.com", "a hash", "ko"))
    assert read_link(catalog, KEY, new, clock()) == "jin@example.com"
    assert read_link(catalog, KEY, link, clock()) == "min@example.com"


def test_what_is_kept_of_a_deleted_account_names_nobody_and_goes_with_its_links(
    catalog: Catalog, clock: Clock, box: Box
) -> None:
    account = catalog.accounts.open("mina@example.com", "a hash", "ko")
    for kind in get_args(EmailKind):
        catalog.emails.put(kind, account.email, "ko", {"count": 1, "products": []})
    send(catalog, box.server)
    catalog.emails.put("password", "jin@example.com", "ko")
    token = token_for(catalog)
    remove_account(catalog, KEY, account)
    remove_account(catalog, KEY, account)
    rows = everything(catalog)
    assert "mina" not in repr(rows)
    assert str(hashlib.sha256(account.email.encode()).hexdigest()) not in repr(rows), "a digest anybody can make"
    assert (len(rows["account_traces"]), len(rows["emails"])) == (1, 1)
    clock.advance(LINK_LIFE + timedelta(seconds=1))
    catalog.sweep()
    assert everything(catalog)["account_traces"] == []
    with pytest.raises(LinkOverError):
        read_link(catalog, KEY, token, clock())


def everything(catalog: Catalog) -> dict[str, list[list[object]]]:
    """All rows, by table."""
    with catalog.snapshots.taken() as snapshot:
        return {table: list(snapshot.rows(table)) for table in snapshot.tables}


def test_addresses_that_an_email_went_to_are_forgotten_by_themselves(catalog: Catalog, clock: Clock, box: Box) -> None:
    catalog.emails.put("password", "mina@example.com", "ko")
    send(catalog, box.server)
    catalog.emails.put("password", "jin@example.com", "ko")
    catalog.sweep()
    assert not catalog.emails.put("password", "mina@example.com", "ko"), "still too soon"
    clock.advance(PAUSES["password"] + timedelta(seconds=1))
    catalog.sweep()
    assert "mina" not in repr(everything(catalog)["emails"])
    assert [email.address for email in catalog.emails.waiting()] == ["jin@example.com"]
    clock.advance(LIFE)
    catalog.sweep()
    assert everything(catalog)["emails"] == []


def test_a_link_that_stops_emails_stops_those_of_its_address_and_of_nobody_else(catalog: Catalog) -> None:
    """A database may give the number of an account that is gone to the next one."""
    mina = catalog.accounts.open("mina@example.com", "a hash", "ko")
    token = sign_stop(KEY, mina.email)
    assert (mina.email in token, read_stop(catalog, KEY, token)) == (False, None)
    remove_account(catalog, KEY, mina)
    jin = catalog.accounts.open("jin@example.com", "a hash", "ko")
    catalog.accounts.want_mail(jin.id, wanted=True)
    assert read_stop(catalog, KEY, token) is None
    again = catalog.accounts.open("mina@example.com", "a hash", "ko")
    catalog.accounts.want_mail(again.id, wanted=True)
    stopped = read_stop(catalog, KEY, token)
    assert stopped is not None
    assert stopped.id == again.id


def test_an_email_about_prices_that_waits_is_not_sent_once_it_is_not_wanted(catalog: Catalog, box: Box) -> None:
    about = {"count": 1, "products": []}
    people = [catalog.accounts.open(f"{name}@example.com", "a hash", "ko") for name in ("mina", "jin", "min")]
    for one in people:
        catalog.accounts.want_mail(one.id, wanted=True)
        catalog.emails.put("drops", one.email, "ko", about)
        catalog.emails.put("password", one.email, "ko")
    catalog.accounts.want_mail(people[0].id, wanted=False)
    remove_account(catalog, KEY, people[1])
    send(catalog, box.server)
    assert sorted((mail["To"], "List-Unsubscribe" in mail) for mail in box.mails) == [
        ("min@example.com", False),
        ("min@example.com", True),
        ("mina@example.com", False),
    ]


def read_other_key(catalog: Catalog) -> str:
    other = EmailWriter(catalog, secret_key="another key", public_url=URL, sender="a@b.kr")
    return other.password_link("mina@example.com").rpartition("/")[2]


def test_without_a_mail_server_the_operator_prints_emails_and_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAPSI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MAPSI_PUBLIC_URL", URL)

    def run(*words: str) -> str:
        done = CliRunner().invoke(main, ["accounts", *words])
        assert done.exit_code == 0, done.output
        return done.output

    assert "no account yet" in run("list")
    assert "No emails are waiting" in run("emails")
    assert run("link", "Mina@Example.com").startswith(f"{URL}/account/password/")
    with open_catalog(f"sqlite:///{tmp_path / 'home' / 'catalog.db'}") as catalog:
        catalog.emails.put("password", "mina@example.com", "en")
        catalog.accounts.open("mina@example.com", "a hash", "en")
    printed = run("emails")
    assert "mina@example.com" in printed
    assert f"{URL}/account/password/" in printed
    assert "mina@example.com" in run("list")
    assert "is gone" in run("remove", "mina@example.com")
    assert "no account yet" in run("list")


def test_a_link_that_is_printed_without_the_services_address_says_where_it_leads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAPSI_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MAPSI_PUBLIC_URL", raising=False)
    done = CliRunner().invoke(main, ["accounts", "link", "mina@example.com"])
    assert done.stdout.startswith("http://127.0.0.1:8000/account/password/")
    assert "MAPSI_PUBLIC_URL" in done.stderr


def test_the_worker_sends_what_waits_by_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, box: Box) -> None:
    from mapsi.cli.opening import open_stock
    from mapsi.cli.worker import job_actions
    from mapsi.settings import read_settings

    monkeypatch.setenv("MAPSI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MAPSI_SMTP", f"smtp://127.0.0.1:{box.port}")
    with open_stock(read_settings()) as catalog:
        catalog.emails.put("password", "mina@example.com", "ko")
        with pytest.raises(SettingError, match="MAPSI_PUBLIC_URL"):
            job_actions(read_settings(), catalog).mail()
        monkeypatch.setenv("MAPSI_PUBLIC_URL", URL)
        monkeypatch.setenv("MAPSI_MAIL_FROM", "mapsi@shop.example")
        job_actions(read_settings(), catalog).mail()
    assert [mail["To"] for mail in box.mails] == ["mina@example.com"]


def test_what_became_cheaper_while_the_mail_server_was_down_is_told_once_after_its_return(
    catalog: Catalog, box: Box, clock: Clock
) -> None:
    for price in (40000, 30000):
        clock.advance(timedelta(days=1))
        take_in(catalog, offer("a", "the coat", price), now=clock())
        if price == 40000:
            mina = catalog.accounts.open("mina@example.com", "a hash", "ko")
            (coat,) = catalog.listings.search(Query(size=10)).products
            catalog.saved.add(mina.id, {coat.id: clock()})
            catalog.accounts.want_mail(mina.id, wanted=True)
    down = MailServer("127.0.0.1", free_port(), False)
    for _ in range(3):
        ask_for_emails(catalog)
        with pytest.raises(MailError):
            send(catalog, down)
        clock.advance(timedelta(hours=6))
    for _ in range(3):
        ask_for_emails(catalog)
        send(catalog, box.server)
        clock.advance(timedelta(hours=6))
    (mail,) = box.mails
    assert mail["Subject"] == "담은 상품 1개의 값이 내렸어요"
    assert "40,000원 → 30,000원" in mail.get_content()


def test_what_became_cheaper_is_told_once_to_whom_wants_it(catalog: Catalog, box: Box, clock: Clock) -> None:
    def prices(coat: int, hat: int) -> None:
        clock.advance(timedelta(days=1))
        take_in(catalog, offer("a", "the coat", coat), offer("b", "the hat", hat), now=clock())

    prices(40000, 9000)
    ids = [one.id for one in catalog.listings.search(Query(sort="price-up", size=10)).products]
    mina, jin = (catalog.accounts.open(f"{name}@example.com", "a hash", "en") for name in ("mina", "jin"))
    for account in (mina, jin):
        catalog.saved.add(account.id, dict.fromkeys(ids, clock()))
    catalog.accounts.want_mail(mina.id, wanted=True)
    assert ask_for_emails(catalog) == 0
    prices(30000, 9500)
    assert ask_for_emails(catalog) == 1
    send(catalog, box.server)
    (mail,) = box.mails
    assert (mail["To"], mail["Subject"]) == ("mina@example.com", "Cheaper: 1 of your saved products")
    assert "the coat (shop): ₩40,000 → ₩30,000" in mail.get_content()
    assert "the hat" not in mail.get_content()
    assert f"{URL}/saved?in=en" in mail.get_content()
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    stop_link = str(mail["List-Unsubscribe"]).strip(" <>")
    assert stop_link in mail.get_content()
    assert stop_link.endswith("?in=en")
    assert read_stop(catalog, KEY, stop_link.rpartition("/")[2].partition("?")[0]) == catalog.accounts.get(mina.id)
    prices(35000, 9500)
    prices(30000, 9500)
    assert ask_for_emails(catalog) == 0, "that price was told"
    prices(25000, 8000)
    assert ask_for_emails(catalog) == 1
    prices(24000, 7000)
    clock.advance(-timedelta(hours=12))
    assert ask_for_emails(catalog) == 0, "once a day"
    clock.advance(timedelta(hours=12))
    assert ask_for_emails(catalog) == 1, "and not forgotten"


@pytest.mark.parametrize(
    ("language", "subject", "line"),
    [
        ("ko", "담은 상품 1개의 값이 내렸어요", "코트 (shop): 40,000원 → 30,000원"),
        ("en", "Cheaper: 1 of your saved products", "Coat (shop): ₩40,000 → ₩30,000"),
    ],
)
def test_what_became_cheaper_while_the_mail_server_is_down_is_told_once_when_it_is_back(
    catalog: Catalog, box: Box, clock: Clock, language: str, subject: str, line: str
) -> None:
    take_in(catalog, offer("a", "코트 / Coat", 40000), now=clock())
    mina = catalog.accounts.open("mina@example.com", "a hash", language)
    catalog.saved.add(mina.id, {one.id: clock() for one in catalog.listings.search(Query()).products})
    catalog.accounts.want_mail(mina.id, wanted=True)
    clock.advance(timedelta(days=1))
    take_in(catalog, offer("a", "코트 / Coat", 30000), now=clock())
    assert ask_for_emails(catalog) == 1
    for _ in range(2):
        with pytest.raises(MailError, match="cannot be used"):
            send(catalog, MailServer("127.0.0.1", free_port(), False))
        assert ask_for_emails(catalog) == 0, "one waits already"
        clock.advance(timedelta(hours=1))
    assert [send(catalog, box.server)[0] for _ in range(3)] == [1, 0, 0]
    (mail,) = box.mails
    assert (mail["To"], mail["Subject"]) == ("mina@example.com", subject)
    assert line in mail.get_content().splitlines()
    assert ask_for_emails(catalog) == 0

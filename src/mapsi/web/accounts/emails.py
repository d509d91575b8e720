"""The text of emails, in the language of the person each is for."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from urllib.parse import urlsplit

from babel.support import Translations

from mapsi.catalog import Catalog
from mapsi.catalog.people.emails import Email
from mapsi.web.accounts.links import LIFE, sign_link, sign_stop
from mapsi.web.lists.titles import title_for
from mapsi.web.request.languages import HINT, format_price

FOLDER = Path(__file__).parents[1] / "translations"


class EmailWriter:
    """Writes the emails of one installation. ``public_url`` is where its pages are seen from outside: links never
    follow the ``Host`` of a request, which strangers choose."""

    def __init__(self, catalog: Catalog, *, secret_key: str, public_url: str, sender: str) -> None:
        self._catalog = catalog
        self._secret_key = secret_key
        self._url = public_url.rstrip("/")
        self._sender = sender

    def write(self, email: Email) -> EmailMessage:
        """The message to send; raises ``ValueError`` for an address that no email can be sent to."""
        subject, body = self._password(email) if email.kind == "password" else self._drops(email)
        mail = EmailMessage()
        mail["From"] = self._sender
        mail["To"] = Address(addr_spec=email.address)
        mail["Subject"] = subject
        mail["Date"] = format_datetime(self._catalog.now())
        mail["Message-ID"] = make_msgid(domain=urlsplit(self._url).hostname or "localhost")
        mail["Auto-Submitted"] = "auto-generated"
        if email.kind == "drops":
            mail["List-Unsubscribe"] = f"<{self._stop_link(email)}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058: a mail program's own button
        mail.set_content(body)
        return mail

    def password_link(self, address: str, language: str = "") -> str:
        """A link by which this address gets a password: whoever has it has the account. Its page speaks ``language``,
        or what the browser wishes."""
        token = sign_link(self._catalog, self._secret_key, address, self._catalog.now())
        return self._link(f"/account/password/{token}", language)

    def _stop_link(self, email: Email) -> str:
        return self._link(f"/account/emails/{sign_stop(self._secret_key, email.address)}", email.language)

    def _link(self, path: str, language: str) -> str:
        """A page speaks the language of the email that leads there, unless another one was chosen in the browser."""
        return f"{self._url}{path}{f'?{HINT}={language}' if language else ''}"

    def _password(self, email: Email) -> tuple[str, str]:
        _ = _speak(email.language)
        hours = int(LIFE.total_seconds() // 3600)
        parts = (
            _("Someone, hopefully you, asked to set a password for %(address)s at Mapsi. Choose it here:")
            % {"address": email.address},
            self.password_link(email.address, email.language),
            _("The link works once, for %(hours)d hours. If it was not you, do nothing: nothing changes.")
            % {"hours": hours},
        )
        return _("Your password for Mapsi"), "\n\n".join(parts) + "\n"

    def _drops(self, email: Email) -> tuple[str, str]:
        _ = _speak(email.language)
        lines = []
        for one in email.about["products"]:
            then, now = (format_price(Decimal(one[key]), one["currency"], email.language) for key in ("then", "now"))
            name, shop = (title_for(one[key], email.language).text for key in ("name", "shop"))
            lines.append(f"{name} ({shop}): {then} → {now}")
        parts = (
            _("What you saved has become cheaper:"),
            "\n".join(lines),
            self._link("/saved", email.language),
            _("You asked for these emails. Stop them here: %(address)s") % {"address": self._stop_link(email)},
        )
        return _("Cheaper: %(count)d of your saved products") % {"count": email.about["count"]}, "\n\n".join(
            parts
        ) + "\n"


def _speak(language: str) -> Callable[[str], str]:
    """The texts of the pages in a language, without a request to take it from."""
    texts = Translations.load(str(FOLDER), [language])
    return lambda text: str(texts.gettext(text))

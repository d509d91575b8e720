"""Sending email by SMTP, through the one server that the settings name."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from mapsi.errors import MapsiError, SettingError

SECONDS = 20
"""How long the server may say nothing."""

Send = Callable[[EmailMessage], None]


class MailError(MapsiError):
    """The mail server cannot be used now."""

    code = "mail_failed"
    http_status = 503


class RefusedEmailError(MailError):
    """The server takes emails, but not this one, and never will."""

    code = "email_refused"


@dataclass(frozen=True, slots=True)
class MailServer:
    """``encrypted`` from the first byte (``smtps``); otherwise as soon as the server offers it (STARTTLS)."""

    host: str
    port: int
    encrypted: bool
    user: str = ""
    password: str = field(default="", repr=False)


def read_mail_server(address: str) -> MailServer:
    """``smtp://USER:PASSWORD@HOST:587`` or ``smtps://USER:PASSWORD@HOST:465``; raises :class:`SettingError`."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/"):
        raise SettingError(
            "MAPSI_SMTP is not the address of a mail server.", "Give smtp://USER:PASSWORD@HOST:587 or smtps://..."
        )
    encrypted = parts.scheme == "smtps"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(parts.hostname, port or (465 if encrypted else 587), encrypted, user, password)


@contextmanager
def open_mail(server: MailServer) -> Iterator[Send]:
    """A connection to the server, and the function that sends an email over it.

    A password goes over an encrypted connection only. Raises :class:`MailError` where the server cannot be used;
    the function raises :class:`RefusedEmailError` for an email it refuses for good.
    """
    try:
        with _connect(server) as connection:
            yield lambda email: _send(connection, email)
    except (OSError, smtplib.SMTPException) as error:
        raise MailError(
            f"The mail server {server.host} cannot be used: {_cause(error)}.",
            "Check MAPSI_SMTP, and that the server is running.",
        ) from error


def _connect(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.encrypted:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=context)
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
        connection.ehlo()
        if connection.has_extn("starttls"):
            connection.starttls(context=context)
        elif server.user:
            connection.close()
            raise smtplib.SMTPException("it offers no encryption, so the password was not sent")
    if server.user:
        connection.login(server.user, server.password)
    return connection


def _send(connection: smtplib.SMTP, email: EmailMessage) -> None:
    try:
        connection.send_message(email)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPNotSupportedError) as error:
        if isinstance(error, smtplib.SMTPNotSupportedError) or _is_final(error):
            connection.rset()
            raise RefusedEmailError(f"The email to {email['To']} was refused.", "Its address may be wrong.") from error
        raise


def _is_final(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError) -> bool:
    """Whether the server's answer is one for good (5xx, RFC 5321, 4.2.1), not one for now (4xx)."""
    if isinstance(error, smtplib.SMTPDataError):
        return error.smtp_code >= 500
    return all(code >= 500 for code, _said in error.recipients.values())


def _cause(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it answered {error.smtp_code}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__

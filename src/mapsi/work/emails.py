"""Sending the emails that wait."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage

from mapsi.catalog import Catalog
from mapsi.catalog.people.emails import Email
from mapsi.mailing import MailServer, RefusedEmailError, open_mail


def send_emails(
    catalog: Catalog, server: MailServer, write: Callable[[Email], EmailMessage], say: Callable[[str], object]
) -> int:
    """Send what waits; returns how many emails went out. One that the server refuses for good, or whose address no
    email can have, is told and dropped. Raises ``MailError`` where the server cannot be used: the emails keep waiting.

    An email is recorded as sent when the server has it: a process killed in between sends it twice, never not at all.
    """
    sent, waiting = 0, catalog.emails.waiting()
    if not waiting:
        return 0
    with open_mail(server) as send:
        for email in waiting:
            try:
                send(write(email))
                sent += 1
            except (RefusedEmailError, ValueError) as error:
                say(f"an email is dropped: {error}")
            catalog.emails.sent(email)
    return sent

"""Sending the letters that wait."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage

from mapsi.catalog import Catalog
from mapsi.catalog.people.letters import Letter
from mapsi.mailing import MailServer, RefusedLetterError, open_mail


def send_letters(
    catalog: Catalog, server: MailServer, write: Callable[[Letter], EmailMessage], say: Callable[[str], object]
) -> int:
    """Send what waits; returns how many letters went out. One that the server refuses for good, or whose address mail
    does not know, is told and dropped. Raises ``MailError`` where the server cannot be used: the letters keep waiting.

    A letter is recorded as sent when the server has it: a process killed in between sends it twice, never not at all.
    """
    sent, waiting = 0, catalog.letters.waiting()
    if not waiting:
        return 0
    with open_mail(server) as send:
        for letter in waiting:
            try:
                send(write(letter))
                sent += 1
            except (RefusedLetterError, ValueError) as error:
                say(f"a letter is dropped: {error}")
            catalog.letters.sent(letter)
    return sent

"""Passwords of operators: hashed so that guessing costs memory as well as time."""

from __future__ import annotations

import unicodedata

from werkzeug.security import check_password_hash, generate_password_hash

from mapsi.errors import UsageError

METHOD = "scrypt:32768:8:1"
"""N, r and p of RFC 7914: 32 MiB and some 70 ms a guess. A hash carries its own, so that it may be raised."""

SHORTEST, LONGEST = 12, 1000
_NOBODY = f"{METHOD}$nobodys-password${'0' * 128}"
"""What the password of somebody who is not there is checked against: as much work, and no password fits."""


def hash_password(password: str) -> str:
    """The hash to keep; raises :class:`UsageError` for a password that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(
            f"The password has {len(password):,} characters.", f"Take {SHORTEST} to {LONGEST:,}: a sentence will do."
        )
    return generate_password_hash(_composed(password), method=METHOD)


def check_password(password_hash: str, password: str) -> bool:
    """Whether the password is the one that was hashed. No hash (nobody of that name) costs the same and is never it."""
    return check_password_hash(password_hash or _NOBODY, _composed(password[: LONGEST + 1]))


def _composed(password: str) -> str:
    """One way of writing it: keyboards differ in how they send Hangul and accents."""
    return unicodedata.normalize("NFKC", password)

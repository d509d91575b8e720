"""Passwords: hashed by Argon2, so that guessing costs memory as well as time. The one place that owns argon2."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn_rs_py import Entropy, zxcvbn

from mapsi.errors import UsageError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""Argon2id with 19 MiB, the least that OWASP's cheat sheet of passwords names: eight log-ins at once take 150 MiB of a
small machine. A hash carries its own parameters, so that they may be raised."""

SHORTEST, LONGEST = 12, 1000
_STRONG = 3
"""Of 0..4: more than 10^8 guesses, by lists of common passwords, names, keyboards and patterns (Wheeler, 2016)."""

_LOOKED_AT = 100
_KOREAN = (
    *(
        "안녕",
        "안녕하세요",
        "사랑",
        "사랑해",
        "사랑해요",
        "비밀번호",
        "패스워드",
        "암호",
        "관리자",
        "대한민국",
        "로그인",
    ),
    *("dkssud", "dkssudgktpdy", "tkfkd", "tkfkdgo", "tkfkdgody", "qlalfqjsgh", "votmdnjem", "dkagh", "rhksflwk"),
    *("eogksalsrnr", "fhrmdls"),
)
"""What people in Korea take first, also as typed with the keyboard switched to Latin letters; the library's lists are
of English ones."""

NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3MsIGtub3duIHRvIGFsbA$Jo1b9JtEXFTfy0T0aZ+4Aoml88da62RpUWtoJcBC0ok"
"""What the password of somebody who is not there is checked against: as much work, and its outcome is ignored. Written
down, for making it takes 30 ms of every start, or as long from the first log-in, which would tell that nobody is
there."""


class PasswordError(UsageError):
    """A password that is refused."""

    code = "bad_password"


class EasyPasswordError(PasswordError):
    """A password that is long enough, and still soon guessed."""


def hash_password(password: str, email: str = "") -> str:
    """The hash to keep; raises :class:`PasswordError` for a password that is too short or too long,
    :class:`EasyPasswordError` for one that is common or made of the account's own address."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordError(
            f"The password has {len(password):,} characters.", f"Take {SHORTEST} to {LONGEST:,}: a sentence will do."
        )
    guessed = zxcvbn(_composed(password[:_LOOKED_AT]), [email, *email.replace("@", ".").split("."), *_KOREAN])
    if int(guessed.score) < _STRONG:
        raise EasyPasswordError(
            "The password is easy to guess.", f"{_why(guessed)}Use a sentence that nobody else would."
        )
    return _HASHER.hash(_composed(password))


def _why(guessed: Entropy) -> str:
    warning = guessed.feedback.warning if guessed.feedback else None
    return f"{warning} " if warning else ""


def check_password(password_hash: str, password: str) -> bool:
    """Whether the password is the one that was hashed. No hash (nobody of that name) costs the same and never
    matches."""
    try:
        fits = _HASHER.verify(password_hash or NOBODY, _composed(password[: LONGEST + 1]))
    except (VerificationError, InvalidHashError):
        return False
    return fits and password_hash != ""


def _composed(password: str) -> str:
    """One way of writing it: keyboards differ in how they send Hangul and accents. Lone surrogates become ``?``."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()

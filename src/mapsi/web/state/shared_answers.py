"""Answers to photos where every process finds them: in a Redis, which cannot read them."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from cryptography.fernet import Fernet, InvalidToken

from mapsi.errors import MapsiError
from mapsi.web.state.packing import pack, unpack
from mapsi.web.state.photo_answers import TOKEN_BYTES, PhotoAnswer, PhotoExpiredError

SECONDS = 2.0
"""Seconds to wait for Redis: it answers within a millisecond or is not there."""


class AnswersUnavailableError(MapsiError):
    """The Redis that holds the answers cannot be reached."""

    code = "answers_unavailable"
    http_status = 503


class SharedPhotoAnswers:
    """As :class:`~mapsi.web.state.photo_answers.PhotoAnswers`, for any number of processes and machines. Each answer is
    held for ``seconds``; how many fit is for Redis to say (``maxmemory``).

    What lies there is encrypted with the token of its address, which only the person's browser has; its name is a
    digest of the token. So a Redis that writes to a disk, or is copied, gives no photo away.
    """

    def __init__(self, url: str, seconds: int) -> None:
        self._seconds = seconds
        self._redis = redis.Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)

    def keep(self, answer: PhotoAnswer) -> str:
        """Hold ``answer`` and give the token, 128 bits nobody can guess, under which it is found."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with _reached():
            self._redis.set(_name(token), _cipher(token).encrypt(pack(answer)), ex=self._seconds)
        return token

    def find(self, token: str) -> PhotoAnswer:
        """The answer under ``token``; raises :class:`PhotoExpiredError`, :class:`AnswersUnavailableError`."""
        with _reached():
            held = self._redis.get(_name(token))
        try:
            return unpack(_cipher(token).decrypt(held if isinstance(held, bytes) else b""))
        except (InvalidToken, ValueError) as error:
            raise PhotoExpiredError("This photo is no longer held.", "Choose the photo again.") from error

    def forget(self, token: str) -> None:
        """Drop the answer under ``token``, where there is one."""
        with _reached():
            self._redis.delete(_name(token))


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        raise AnswersUnavailableError("The answers to photos cannot be reached.", "Check MAPSI_ANSWERS.") from error


def _name(token: str) -> str:
    return f"mapsi:answer:{hashlib.sha256(b'name ' + token.encode()).hexdigest()}"


def _cipher(token: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"key " + token.encode()).digest()))

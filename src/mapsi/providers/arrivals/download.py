"""A feed behind an http(s) address -> a file, or the news that nothing changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from mapsi.artifacts import file_digest
from mapsi.errors import FeedError
from mapsi.providers.arrivals.arrival import Arrived, Limits
from mapsi.remote import Downloaded, Fetcher

NOT_MODIFIED = 304
_VALIDATORS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
_MAX_VALIDATOR = 1000


def download_feed(
    address: str, remembered: Mapping[str, str], into: Path, fetcher: Fetcher, limits: Limits
) -> tuple[Arrived, ...]:
    """The feed behind ``address`` as a file in ``into``, or nothing where it is the one that is remembered.

    Servers that know no validators, or that redirect to another host (which gets none of the caller's headers), send
    the whole feed again; its digest then tells that it is the same. See
    :func:`mapsi.providers.arrivals.origin.open_origin`.
    """
    known = remembered if remembered.get("address") == _mark(address) else {}
    headers = {header: known[name] for name, header in _VALIDATORS.items() if name in known}
    file = into / "feed"
    try:
        answer = fetcher.download(
            address,
            file,
            max_bytes=limits.max_bytes,
            seconds=limits.seconds,
            accept="feed",
            headers=headers,
            statuses=(NOT_MODIFIED,),
        )
    except OSError as error:
        raise FeedError(f"The feed cannot be stored: {error.strerror}.", "Make room, or check the folder.") from error
    if answer.status == NOT_MODIFIED:
        if not headers:
            raise FeedError(
                "The server says that the feed is unchanged, but none was ever fetched.", "Try again later."
            )
        return ()
    digest = file_digest(file)
    if digest == known.get("digest"):
        file.unlink()
        return ()
    remember = {"address": _mark(address), "digest": digest, **_validators(answer)}
    return (Arrived(file=file, base=answer.url, remember=remember),)


def _mark(address: str) -> str:
    """Tells addresses apart without keeping a second copy of one that may hold a token."""
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def _validators(answer: Downloaded) -> dict[str, str]:
    """What the server gave to ask with next time, as far as a header of a request can carry it back."""
    given = {name: answer.headers.get(name, "") for name in _VALIDATORS}
    return {
        name: value
        for name, value in given.items()
        if value and len(value) <= _MAX_VALIDATOR and value.isascii() and value.isprintable()
    }

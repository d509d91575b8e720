"""Where a feed comes from: a file, an http(s) address, or a folder into which a shop puts its feeds."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from mapsi.errors import FeedError, UsageError
from mapsi.http_address import is_http
from mapsi.providers.arrivals.arrival import DEFAULTS, Arrived, Limits
from mapsi.providers.arrivals.download import download_feed
from mapsi.providers.arrivals.watched import Watch
from mapsi.remote import Fetcher

__all__ = ["Arrived", "Limits", "open_origin"]

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PATTERN = re.compile(r"[*?\[]")


def open_origin(
    at: str,
    *,
    remembered: Mapping[str, str],
    into: Path,
    fetcher: Fetcher,
    partial: Callable[[Path], bool],
    limits: Limits = DEFAULTS,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Arrived, ...]:
    """The files at ``at`` that are new since ``remembered``, in the order to take them over in; none where nothing
    changed.

    ``at`` is an http(s) address, a file, a folder, or a folder and a pattern of names (``feeds/*.xml``). ``remembered``
    is what the last :class:`Arrived` that was taken over said to remember, empty at first; it is a few short texts.
    ``partial`` tells feeds of changes from whole ones (:attr:`Provider.partial`).

    From an address, ``into`` (a folder of this source alone) holds the download, whole or not at all; the request is
    conditional (``ETag``, ``Last-Modified``), and the same bytes again are nothing new either. Of a folder come the
    newest whole feed, if it is new, and then the feeds of changes that are newer than it and new, oldest first: by
    time, then by name. A file that changed in the last seconds is waited for once; if it is still being written then, a
    folder leaves it for the next time and a file is an error.

    Raises :class:`FeedError` where there is no feed, :class:`RemoteError` where the address gives none, and
    :class:`UsageError` where ``at`` is of another kind.
    """
    if is_http(at):
        return download_feed(at, remembered, into, fetcher, limits)
    if _SCHEME.match(at):
        raise UsageError(
            "A feed comes from an http or https address, a file or a folder.", "Fetch it from there by other means."
        )
    path = Path(at).expanduser()
    watch = Watch(limits.settled_after, clock, sleep)
    if path.is_dir():
        return watch.folder(path, "*", remembered, partial)
    if path.is_file():
        return watch.file(path, remembered)
    if _PATTERN.search(path.name) and path.parent.is_dir():
        return watch.folder(path.parent, path.name, remembered, partial)
    raise FeedError(f"There is no file or folder {at}.", "Check the path.")

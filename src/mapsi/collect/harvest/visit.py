"""One visit to a photo's address: bytes and headers, whatever the server answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mapsi.collect.harvest.downloads import HostBusy
from mapsi.collect.harvest.lanes import NamedPhoto
from mapsi.collect.harvest.screening import Screen, ScreenedPhoto, Unfit
from mapsi.collect.pace import moment
from mapsi.collect.sources.api import Caller
from mapsi.errors import PhotoError, RefusedAddressError, RemoteError
from mapsi.imaging import PhotoLimits, read_photo_bytes
from mapsi.remote.retry import retry_after

THIS_MACHINE = "this machine"
NOT_VISITED = "address not visited"
"""The reason given for what is not an address that may be visited: ``data:``, a path, a private host."""

_ERRORS = range(300, 600)


def host_of(named: NamedPhoto) -> str:
    """The host, with its port, that a photo lies on: downloads from one host take turns."""
    if named.found.local:
        return THIS_MACHINE
    try:
        return urlsplit(named.found.address).netloc.lower()
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class Visitor(Caller):
    """Fetches photos and screens them; several threads may share one. ``seconds`` is the time for one photo."""

    screen: Screen
    seconds: float

    def visit(self, named: NamedPhoto) -> ScreenedPhoto | Unfit:
        """The photo at a named photo's address, or why it is not one; raises :class:`HostBusy` where its host asks to
        wait."""
        try:
            if named.found.local:
                return self.screen.read(_read_file(Path(named.found.address), self.screen.limits), {})
            data, headers = self._fetch(named.found.address)
            return self.screen.read(data, headers)
        except Unfit as unfit:
            return unfit

    def _fetch(self, address: str) -> tuple[bytes, Mapping[str, str]]:
        try:
            answer = self.fetcher.fetch(
                address, max_bytes=self.screen.limits.max_bytes, seconds=self.seconds, statuses=_ERRORS
            )
        except RefusedAddressError as error:
            raise Unfit(NOT_VISITED, error.message) from error
        except RemoteError as error:
            raise Unfit("did not arrive", error.message, "failed") from error
        if answer.status in (429, 503):
            raise HostBusy(retry_after(answer.headers.get("retry-after", ""), moment(self.clock)))
        if not 200 <= answer.status < 300:
            raise Unfit(f"status {answer.status}", f"Its server answered with {answer.status}.", "failed")
        return answer.data, answer.headers


def _read_file(file: Path, limits: PhotoLimits) -> bytes:
    try:
        return read_photo_bytes(file, limits)
    except PhotoError as error:
        raise Unfit("cannot be read", f"{file}: {error.message}", "failed") from error

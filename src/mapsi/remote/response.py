"""One answer of a server: where it leads on to, what it holds, and what went wrong with it."""

from __future__ import annotations

import http.client
import socket
import ssl
import zlib
from collections.abc import Container, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

from mapsi.errors import RefusedAddressError, RemoteError
from mapsi.remote.address import Address, parse_address
from mapsi.remote.connection import TooSlowError, read_body
from mapsi.remote.content import Accept, checked, limited, too_large, unpacked

_REPEATED = frozenset({"x-robots-tag"})
"""Headers of which every line counts, with a line end between them; of any other one that comes twice, the last
does."""


class Response:
    """An answer whose headers have come and whose body is still to be read; a context that closes the connection."""

    def __init__(self, address: Address, sock: socket.socket, response: http.client.HTTPResponse) -> None:
        self.address = address
        self.status = response.status
        self.headers = _headers(response)
        self._sock = sock
        self._response = response

    def expected(self, statuses: Container[int] = ()) -> Self:
        """Itself; raises :class:`RemoteError`, and closes, where the status says that nothing was given and is not
        among ``statuses``."""
        if 200 <= self.status < 300 or self.status in statuses:
            return self
        self.close()
        raise RemoteError(f"{self.address.host} answered with the status {self.status}.", "Check the address.")

    def redirect(self) -> Address:
        """Where a redirect leads, read and checked as any address."""
        location = self.headers.get("location")
        if not location:
            raise RemoteError(f"{self.address.host} redirects without saying where.", "Check the address.")
        try:
            return parse_address(urljoin(self.address.url, _as_utf8(location)))
        except ValueError as error:
            raise RefusedAddressError("The address redirects to one that cannot be read.", "Check it.") from error

    def body(self, max_bytes: int, accept: Accept) -> Iterator[bytes]:
        """The unpacked body as it arrives, within ``max_bytes`` both before and after unpacking."""
        if (self._response.length or 0) > max_bytes:
            raise too_large(max_bytes)
        with as_remote_errors(self.address):
            packed = limited(read_body(self._response), max_bytes)
            whole = limited(unpacked(packed, self.headers.get("content-encoding", "")), max_bytes)
            yield from checked(whole, accept)

    def close(self) -> None:
        self._response.close()
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def as_remote_errors(address: Address) -> Iterator[None]:
    """Turn what goes wrong on the way into one sentence that repeats neither the answer nor where a name led to."""
    host = address.host
    try:
        yield
    except TooSlowError as error:
        raise RemoteError(f"{host} sends its answer too slowly.", "Try again later, or ask whoever runs it.") from error
    except TimeoutError as error:
        raise RemoteError(f"{host} did not answer in full within the time allowed.", "Try again later.") from error
    except ssl.SSLCertVerificationError as error:
        raise RemoteError(f"{host} has no certificate that can be trusted.", "Check the address.") from error
    except socket.gaierror as error:
        raise RemoteError(f"The host {host} is not known.", "Check the address.") from error
    except OSError as error:
        raise RemoteError(
            f"{host} cannot be reached, or closed the connection.", "Check the address, or try again later."
        ) from error
    except (http.client.HTTPException, ValueError) as error:
        raise RemoteError(f"The answer of {host} is cut off or damaged.", "Try again later.") from error
    except zlib.error as error:
        raise RemoteError(f"The answer of {host} is badly compressed.", "Try again later.") from error


def _headers(response: http.client.HTTPResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in ((name.lower(), value) for name, value in response.getheaders()):
        headers[name] = f"{headers[name]}\n{value}" if name in _REPEATED and name in headers else value
    return headers


def _as_utf8(header: str) -> str:
    """Headers are read as Latin-1; shops write addresses in UTF-8 into them."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header

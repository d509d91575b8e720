"""An address as a stranger writes it -> one plain spelling, or a refusal.

Whatever two readers could understand differently is refused rather than mended: that difference is what lets an address
pass a check and lead elsewhere.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from mapsi.errors import RefusedAddressError

MAX_LENGTH = 8192
DEFAULT_PORTS = {"http": 80, "https": 443}

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")
_NETLOC = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_KEPT = "!#$%&'()*+,/:;=?@[]~"
_HINT = "Give a plain address that begins with http:// or https://."


@dataclass(frozen=True, slots=True)
class Address:
    """One http(s) address in its plain spelling: ``host`` is an ASCII name or an IP literal without brackets,
    ``target`` the path and query in ASCII. The fragment is dropped: it never goes to a server."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def host_header(self) -> str:
        """What stands after ``Host:``, the port only where it is not the scheme's own."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == DEFAULT_PORTS[self.scheme] else f"{name}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host_header}{self.target}"


def parse_address(url: str) -> Address:
    """Read an address; raises :class:`RefusedAddressError` without repeating it, since it may hold a password."""
    url = url.strip(" ")
    if len(url) > MAX_LENGTH:
        raise RefusedAddressError(f"The address is longer than {MAX_LENGTH} characters.", _HINT)
    if _CONTROL.search(url):
        raise RefusedAddressError("The address contains control characters or backslashes.", _HINT)
    try:
        parts = urlsplit(url)
        target = quote(parts.path or "/", safe=_KEPT) + (f"?{quote(parts.query, safe=_KEPT)}" if parts.query else "")
    except ValueError as error:
        raise RefusedAddressError("The address cannot be read.", _HINT) from error
    if parts.scheme not in DEFAULT_PORTS:
        raise RefusedAddressError("Only http and https addresses are visited.", _HINT)
    if "@" in parts.netloc:
        raise RefusedAddressError("The address contains a user name or a password.", _HINT)
    host, port = parse_netloc(parts.netloc)
    return Address(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme], target)


def parse_netloc(text: str) -> tuple[str, int | None]:
    """``host``, ``host:port`` or ``[IPv6]:port`` as host and port; raises :class:`RefusedAddressError`."""
    match = _NETLOC.fullmatch(text)
    if match is None:
        raise RefusedAddressError("The host of the address is not a valid host name.", _HINT)
    port = int(match[2]) if match[2] else None
    if port is not None and not 0 < port < 65536:
        raise RefusedAddressError("The port of the address is not a valid port.", _HINT)
    return parse_host(match[1]), port


def parse_host(text: str) -> str:
    """A host's one spelling: an IDNA name in lower case, a dotted quad, or an IPv6 literal (given with or without
    brackets) without them. Raises :class:`RefusedAddressError` for every other way to write one."""
    if text.startswith("[") or text.count(":") > 1:
        return _parse_ipv6(text.removeprefix("[").removesuffix("]"))
    try:
        name = text.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError as error:
        raise RefusedAddressError("The host of the address is not a valid host name.", _HINT) from error
    if not _NAME.fullmatch(name) or len(name) > 253:
        raise RefusedAddressError("The host of the address is not a valid host name.", _HINT)
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return _parse_ipv4(name)
    return name


def _parse_ipv4(text: str) -> str:
    """Only four decimal numbers without leading zeros: ``inet_aton`` also takes ``0x7f.1``, ``017700000001``,
    ``2130706433``."""
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError as error:
        raise RefusedAddressError("The host of the address is a number written in an unusual way.", _HINT) from error


def _parse_ipv6(text: str) -> str:
    if "%" in text:
        raise RefusedAddressError("The address names a network interface.", _HINT)
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError as error:
        raise RefusedAddressError("The host of the address is not a valid IPv6 address.", _HINT) from error

"""Which hosts and which addresses behind their names may be connected to."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence

from mapsi.errors import RefusedAddressError, RemoteError, SettingError
from mapsi.remote.address import Address, parse_host, parse_netloc

Resolve = Callable[[str, int], list[str]]
"""(name, port) -> the IP addresses of the name, as texts; raises :class:`OSError` where it has none."""

PORTS = frozenset({80, 443})

# Refused beside what `is_global` says: older Pythons call some of these global, and the rest carry an IPv4 address
# inside an IPv6 one, so that a gateway on the way could turn them into a private address.
_NEVER = tuple(
    ipaddress.ip_network(block)
    for block in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "169.254.0.0/16",  # link-local: the clouds' metadata services
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "2001::/23",  # IETF assignments, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
_GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")  # outside it: mapped, compatible, NAT64, unique local, link-local, ...


def is_public(text: str) -> bool:
    """Whether an IP address is one of the open internet, and nothing but that."""
    ip = ipaddress.ip_address(text)
    if ip.version == 6 and ip not in _GLOBAL_IPV6:
        return False
    return (
        ip.is_global and not ip.is_multicast and not any(ip in block for block in _NEVER if block.version == ip.version)
    )


class Reach:
    """The rule of where connections may go.

    ``allow_hosts`` are the operator's exceptions, names or literals, each for every port (``nas.local``) or for one
    (``nas.local:8080``, ``[fd00::1]:8080``). Only they may lie in a private network or on another port than 80 and 443.
    """

    def __init__(self, allow_hosts: Iterable[str], resolve: Resolve) -> None:
        self._allowed = frozenset(map(_parse_allowed, allow_hosts))
        self._resolve = resolve

    def addresses(self, address: Address) -> Sequence[str]:
        """The IP addresses that may be connected to for ``address``, resolved just now, once, and all of them checked.

        Raises :class:`RefusedAddressError`, or :class:`RemoteError` where the name has no address. Neither says what a
        name led to: that would let a stranger read the inner network's names.
        """
        allowed = not self._allowed.isdisjoint({(address.host, None), (address.host, address.port)})
        if not allowed and address.port not in PORTS:
            raise RefusedAddressError("Only the ports 80 and 443 are visited.", "Leave the port out of the address.")
        found = self._look_up(address)
        if not allowed and not all(map(is_public, found)):
            raise RefusedAddressError(
                "The address does not lead to a public server.",
                "The operator can name private hosts in MAPSI_ALLOW_HOSTS.",
            )
        return found

    def _look_up(self, address: Address) -> list[str]:
        if _is_literal(address.host):
            return [address.host]
        found = self._resolve(address.host, address.port)
        if not found:
            raise RemoteError(f"The host {address.host} is not known.", "Check the address.")
        return list(dict.fromkeys(found))


def _is_literal(host: str) -> bool:
    return ":" in host or host.rpartition(".")[2].isdigit()


def _parse_allowed(entry: str) -> tuple[str, int | None]:
    try:
        bare_ipv6 = entry.count(":") > 1 and not entry.startswith("[")
        return (parse_host(entry), None) if bare_ipv6 else parse_netloc(entry)
    except RefusedAddressError as error:
        raise SettingError(
            f"The allowed host {entry!r} is neither a host nor host:port.", "Fix MAPSI_ALLOW_HOSTS."
        ) from error

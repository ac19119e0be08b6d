"""Where an address leads, found out before anything is sent: never into the own network."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from flamingo.data.collection.sources.addresses import canonical
from flamingo.foundation.errors import DataError

_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Refused(DataError):  # noqa: N818 (what it is, not what happened)
    """An address that may not be fetched, now or later."""


class Unreachable(DataError):  # noqa: N818
    """A host that did not answer as it should; another time it may."""


@dataclass(frozen=True)
class Destination:
    """A place on the web whose number has been checked.

    Attributes:
        url: that leads there.
        scheme: "http" or "https".
        host: its name, for the server and its certificate.
        port: of the server.
        target: path and query.
        ip: the number that the connection must go to; a second look at the name may give another.
    """

    url: str
    scheme: str
    host: str
    port: int
    target: str
    ip: str

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def redirected(self, location: str, *, allow_private: bool) -> Destination:
        """Where a redirect from here leads.

        Raises:
            Refused: it must not be followed.
            Unreachable: its host is not known.
        """
        try:
            return destination_of(urljoin(self.url, location), allow_private=allow_private)
        except ValueError as error:
            if isinstance(error, DataError):
                raise
            raise Refused(f"the redirect to {location[:200]!r} leads nowhere.") from error


def destination_of(address: str, *, allow_private: bool = False) -> Destination:
    """Takes an address apart and looks its host up.

    Args:
        address: a URL.
        allow_private: whether it may lead to this machine or into its network.

    Raises:
        Refused: it is no address of the web, or leads into a network that is not public.
        Unreachable: its host is not known.
    """
    url = canonical(address)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Refused(f"{address[:200]!r} is no address: {error}.") from error
    if parts.scheme not in _PORTS or not host:
        raise Refused(f"{address[:200]!r} does not begin with http:// or https:// and a host.")
    port = _PORTS[parts.scheme] if port is None else port
    numbers = _looked_up(host, port)
    for number in numbers:
        if not (allow_private or is_public(number)):
            raise Refused(f"{host} is {number}, which is no address of the public web.")
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    return Destination(url, parts.scheme, host, port, target or "/", numbers[0])


def is_public(number: str) -> bool:
    """Whether an IP address belongs to the public internet, however it is wrapped."""
    ip = ipaddress.ip_address(number.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _looked_up(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError, OverflowError) as error:
        raise Unreachable(f"the host {host[:100]} is not known: {error}.") from error
    if not found:
        raise Unreachable(f"the host {host[:100]} is not known.")
    return [str(one[4][0]) for one in found]

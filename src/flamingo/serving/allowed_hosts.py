"""Which hosts an operator has named."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flamingo.data.collection.sources.addresses import ascii_host
from flamingo.foundation.errors import ConfigError

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"(\*\.)?[^\s/@:*?#\[\]\\]+|\[[0-9A-Fa-f:.]+\]")


class AllowedHosts:
    """A list of hosts.

    Args:
        hosts: "example.org" for that host alone; "*.example.org" for all below it, but not itself;
            with a port, "example.org:8080", for that port and no other. Without one, the usual
            port of http and of https is meant.

    Raises:
        ConfigError: one of them is not written so.
    """

    def __init__(self, hosts: Sequence[str]) -> None:
        self._allowed = frozenset(_parsed(host) for host in hosts)

    def __bool__(self) -> bool:
        return bool(self._allowed)

    def allow(self, host: str, port: int, scheme: str) -> bool:
        """Whether one may be asked.

        Args:
            host: in small letters and in ASCII; the number of an IPv6 host without brackets.
            port: of it.
            scheme: "http" or "https".
        """
        ports = {port, None} if port == _DEFAULT_PORTS.get(scheme) else {port}
        names = {host}
        _, dot, rest = host.partition(".")
        while dot:
            names.add(f"*.{rest}")
            _, dot, rest = rest.partition(".")
        return any((name, number) in self._allowed for name in names for number in ports)


def _parsed(text: str) -> tuple[str, int | None]:
    name, colon, port = text.strip().rpartition(":")
    if not colon or port.endswith("]"):
        name, port = text.strip(), ""
    is_port = not port or (port.isascii() and port.isdecimal() and 0 < int(port) < 65536)
    if not _NAME.fullmatch(name) or not is_port or (colon and not port and name[:1] != "["):
        raise ConfigError(
            f"{text!r} is no host.\nWrite example.org, *.example.org or example.org:8080, "
            "without http:// and without a path."
        )
    star, name = ("*.", name[2:]) if name.startswith("*.") else ("", name.strip("[]"))
    return star + ascii_host(name), int(port) if port else None

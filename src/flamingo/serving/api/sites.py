"""By which name the server may be asked, and from which pages: its own alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from flamingo.data.collection.sources.addresses import ascii_host
from flamingo.foundation.errors import ConfigError
from flamingo.serving.api.error_answers import Refused

_NAME = re.compile(r"[^\s/@:*?#\[\]\\]+")
_LONGEST = 200
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class HostNames:
    """The names by which a server is asked: numbers, `localhost`, and what its operator says.

    Who owns any other name can have it lead to this machine. A browser then takes a page of that
    name for one of this server, and lets it ask and read.

    Args:
        names: without a port; capitals do not matter.

    Raises:
        ConfigError: one of them is not written so.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._names = frozenset({"localhost", *map(_parsed, names)})

    def know(self, host: str) -> bool:
        """Whether it is one of them.

        Args:
            host: with or without a port, as the header of that name has it.
        """
        name = re.sub(r":\d*$", "", host).lower().removesuffix(".")
        return name in self._names or _is_number(name.removeprefix("[").removesuffix("]"))


class SiteCheck:
    """Middleware that refuses what a browser sends on behalf of another site, where keys are asked.

    Args:
        app: answers.
        names: by which the server is asked; by any, if not given: whose requests need a key is safe
            from pages that have none.
    """

    def __init__(self, app: ASGIApp, names: HostNames | None) -> None:
        self._app, self._names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on.

        Raises:
            Refused: it is sent for a page of another site, whose visitor has not asked; or to a
                name that might be another's.
        """
        if scope["type"] == "http" and is_guarded(scope["path"]):
            headers = Headers(scope=scope)
            host = headers.get("host", "")
            if headers.get("sec-fetch-site") == "cross-site":
                raise Refused("Pages of other sites may not ask.", None, "foreign_page", 403)
            for origin in headers.getlist("origin"):
                if _is_foreign(origin, host):
                    raise Refused(
                        f"A page of {origin[:_LONGEST]!r} may not ask here, at "
                        f"{host[:_LONGEST]!r}. A proxy between them has to pass on the Host that "
                        "it is asked for.",
                        code="foreign_page",
                        status=403,
                    )
            if self._names is not None and not self._names.know(host):
                raise Refused(
                    f"This server has no API keys, and {host[:_LONGEST]!r} is not among the names "
                    "that it knows for itself. Ask it by its number, or start it with --host-name "
                    "and that name.",
                    code="unknown_host",
                    status=403,
                )
        await self._app(scope, receive, send)


def is_guarded(path: str) -> bool:
    """Whether an address is more than the page and the state of the server."""
    return path == "/v1" or path.startswith(("/v1/", "/metrics"))


def _is_foreign(origin: str, host: str) -> bool:
    """Whether a page is not of this server. The scheme says nothing: a proxy may speak TLS."""
    scheme, _, own = origin.lower().partition("://")
    port = _DEFAULT_PORTS.get(scheme, "")
    return not own or own.removesuffix(port) != host.lower().removesuffix(port)


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _parsed(name: str) -> str:
    if _is_number(name):
        return name
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no name of a host.\nWrite example.org, without http:// and without a "
            "port."
        )
    return ascii_host(name).removesuffix(".")

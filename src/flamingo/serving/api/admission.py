"""Who is let in before any of a body is read: with a key, and not more than there is room for."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from flamingo.serving.api.error_answers import Refused
from flamingo.serving.errors import Busy
from flamingo.serving.keys import Keys
from flamingo.serving.limits import Limits

_BODIES = 16
"""Bodies of the largest size that there is room for at the same time."""


class KeyCheck:
    """Middleware that asks for a key where one is needed: under /v1, and at /metrics.

    Args:
        app: answers; it finds who asks in `scope["state"]["owner"]`.
        keys: those that are known.
    """

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app, self._keys = app, keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on.

        Raises:
            KeyRefused: a key is needed, and another or none was given.
            Refused: a browser sends it for a page of another site, whose visitor has not asked.
        """
        if scope["type"] == "http" and _is_guarded(scope["path"]):
            if Headers(scope=scope).get("sec-fetch-site") == "cross-site":
                raise Refused("Pages of other sites may not ask.", status=403)
            owner = self._keys.owner(Headers(scope=scope).get("authorization"))
            scope.setdefault("state", {})["owner"] = owner
        await self._app(scope, receive, send)


def _is_guarded(path: str) -> bool:
    return path == "/v1" or path.startswith(("/v1/", "/metrics"))


class Admission:
    """Middleware that bounds how many requests with a body are under way, and their bytes.

    Args:
        app: answers.
        limits: of the server.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits
        self._most = limits.queued + limits.rows
        self._most_bytes = _BODIES * limits.request_bytes
        self._number = self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on.

        Raises:
            Busy: there is no room for it now.
        """
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        num_bytes = self._declared(Headers(scope=scope))
        if self._number >= self._most or self._bytes + num_bytes > self._most_bytes:
            raise Busy(
                f"{self._number} requests of {self._bytes} bytes are under way, and there is room "
                f"for {self._most} of {self._most_bytes} bytes. Try again a little later."
            )
        self._number += 1
        self._bytes += num_bytes
        try:
            await self._app(scope, receive, send)
        finally:
            self._number -= 1
            self._bytes -= num_bytes

    def _declared(self, headers: Headers) -> int:
        """The bytes that a body says it has; the most it may have, where it does not say."""
        if "transfer-encoding" in headers:
            return self._limits.request_bytes
        given = headers.get("content-length", "0")
        is_number = given.isdecimal() and len(given) < 20
        # One that is larger is refused further on, before its bytes are there.
        return min(int(given), self._limits.request_bytes) if is_number else 0

"""Who is let in before any of a body is read: with a key, and not more than there is room for."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flamingo.serving.api.asked import client_of
from flamingo.serving.api.sites import is_guarded
from flamingo.serving.errors import Busy
from flamingo.serving.keys import Keys
from flamingo.serving.limits import Limits

_BODIES = 16
"""Bodies of the largest size that there is room for at the same time."""
_SHARE = 4
"""One client may take this part of the room: a quarter."""


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
        """
        if scope["type"] == "http" and is_guarded(scope["path"]):
            owner = self._keys.owner(Headers(scope=scope).get("authorization"))
            scope.setdefault("state", {})["owner"] = owner
        await self._app(scope, receive, send)


@dataclass
class _Use:
    """Requests under way, and the bytes of their bodies."""

    number: int = 0
    num_bytes: int = 0


class Admission:
    """Middleware that bounds how many requests with a body are under way, and their bytes.

    What a body says that it has is reserved before it comes; of one that does not say, what has
    come. The bytes make room again with `let_go`, or else when the request is answered.

    Args:
        app: answers.
        limits: of the server.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._most_of_body = app, limits.request_bytes
        self._most = _Use(limits.queued + limits.rows, _BODIES * limits.request_bytes)
        self._most_of_one = _Use(
            max(1, self._most.number // _SHARE), self._most.num_bytes // _SHARE
        )
        self._all = _Use()
        self._each: dict[str, _Use] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on.

        Raises:
            Busy: there is no room for it now, or for what comes of its body.
        """
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        client = client_of(Request(scope))
        declared = min(_declared(Headers(scope=scope)), self._most_of_body)
        self._take(client, 1, declared)
        body = _Body(self, client, receive, declared)
        scope.setdefault("state", {})["body"] = body
        try:
            await self._app(scope, body.receive, send)
        finally:
            self._take(client, -1, -body.release())

    def grow(self, client: str, has: int, arrived: int) -> int:
        """Reserves room for more of a body; returns how much it has then.

        Args:
            client: who sends it.
            has: bytes that are reserved for it.
            arrived: of its bytes. Those above the limit of one body are not kept by anyone.

        Raises:
            Busy: there is no room.
        """
        needs = max(has, min(arrived, self._most_of_body))
        self._take(client, 0, needs - has)
        return needs

    def leave(self, client: str, num_bytes: int) -> None:
        """Gives room back."""
        self._take(client, 0, -num_bytes)

    def _take(self, client: str, number: int, num_bytes: int) -> None:
        own = self._each.get(client, _Use())
        if number > 0 or num_bytes > 0:
            _check("of yours", own, self._most_of_one, number, num_bytes)
            _check("of all clients", self._all, self._most, number, num_bytes)
        for use in (own, self._all):
            use.number += number
            use.num_bytes += num_bytes
        # Clients that have left are not remembered.
        if own.number:
            self._each[client] = own
        else:
            self._each.pop(client, None)


class _Body:
    """The body of one request, and the room that it takes."""

    def __init__(self, room: Admission, client: str, receive: Receive, reserved: int) -> None:
        self._room, self._client, self._receive = room, client, receive
        self._reserved, self._arrived = reserved, 0

    async def receive(self) -> Message:
        """The next part.

        Raises:
            Busy: there is no room for it.
        """
        message = await self._receive()
        if num_bytes := len(message.get("body", b"")):
            self._arrived += num_bytes
            self._reserved = self._room.grow(self._client, self._reserved, self._arrived)
        return message

    def leave(self) -> None:
        """Gives its room back."""
        self._room.leave(self._client, self.release())

    def release(self) -> int:
        """What is reserved for it, and is its own no more."""
        released, self._reserved = self._reserved, 0
        return released


def let_go(request: Request) -> None:
    """Says that nothing of a request's body is kept any more: others may send theirs."""
    body = request.scope.get("state", {}).get("body")
    if isinstance(body, _Body):
        body.leave()


def _check(whose: str, use: _Use, most: _Use, number: int, num_bytes: int) -> None:
    if use.number + number > most.number or use.num_bytes + num_bytes > most.num_bytes:
        raise Busy(
            f"{use.number:,} requests {whose} with bodies of {use.num_bytes:,} bytes are under "
            f"way, and there is room for {most.number:,} of {most.num_bytes:,} bytes. Try again "
            "a little later."
        )


def _declared(headers: Headers) -> int:
    """The bytes that a body says it has; 0 where it does not say."""
    given = headers.get("content-length", "0")
    # One that is larger than it may be is refused further on, before its bytes are there.
    return int(given) if given.isdecimal() and len(given) < 20 else 0

"""Bodies of requests: neither too large nor too slow, whoever reads them."""

from __future__ import annotations

import asyncio
import json
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_DROPPED = 4
"""What is too large is dropped up to this many times what is allowed."""


class BodyLimit:
    """Middleware that answers in place of the app when a body is too large or too slow.

    What is above the limit is dropped as it comes, so that the client can read the answer: many
    read it only after they have sent everything.

    Args:
        app: answers.
        most_bytes: of a body, whether or not the request says how many there are.
        seconds: that may be spent waiting for all of a body.
    """

    def __init__(self, app: ASGIApp, most_bytes: int, seconds: int | float) -> None:
        self._app, self._most_bytes, self._seconds = app, most_bytes, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, if its body may come."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, send, self._most_bytes, self._seconds)
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isascii() and declared.isdecimal() and _number(declared) > self._most_bytes:
            await body.refuse_large(_number(declared))
            return
        try:
            await self._app(scope, body.receive, body.send)
        except Exception:
            # The app was told that the client has left, and may have said so.
            if not body.is_refused:
                raise


class _Body:
    """The body of one request."""

    def __init__(self, receive: Receive, send: Send, most_bytes: int, seconds: int | float) -> None:
        self._receive, self._send = receive, send
        self._most_bytes, self._seconds = most_bytes, seconds
        self._num_bytes, self._waited = 0, 0.0
        self._is_complete = self._has_answer = False
        self.is_refused = False

    async def receive(self) -> Message:
        """The next part; a disconnection once the body was refused."""
        if self.is_refused:
            return {"type": "http.disconnect"}
        if self._is_complete:
            return await self._receive()
        try:
            message = await self._next()
        except TimeoutError:
            await self._refuse_slow()
            return {"type": "http.disconnect"}
        if self._num_bytes > self._most_bytes:
            await self.refuse_large(self._num_bytes)
            return {"type": "http.disconnect"}
        return message

    async def send(self, message: Message) -> None:
        """Passes on what the app answers, unless it was answered in its place."""
        if not self.is_refused:
            self._has_answer = True
            await self._send(message)

    async def refuse_large(self, num_bytes: int) -> None:
        """Answers 413, once the rest was dropped, or a good part of it."""
        self.is_refused = True
        try:
            while not self._is_complete and self._num_bytes <= _DROPPED * self._most_bytes:
                await self._next()
        except TimeoutError:
            pass
        await self._answer(
            413,
            "invalid_request_error",
            "request_too_large",
            f"The body has at least {num_bytes:,} bytes, more than the limit of "
            f"{self._most_bytes:,}. Send smaller pictures, or fewer.",
        )

    async def _refuse_slow(self) -> None:
        self.is_refused = True
        await self._answer(
            408,
            "timeout_error",
            "body_timeout",
            f"The body was not there after {self._seconds:g} s. Send less, or faster.",
        )

    async def _next(self) -> Message:
        """The next part, if it comes in the time that is left."""
        begin = time.monotonic()
        async with asyncio.timeout(max(0.0, self._seconds - self._waited)):
            message = await self._receive()
        self._waited += time.monotonic() - begin
        self._num_bytes += len(message.get("body", b""))
        self._is_complete = message["type"] != "http.request" or not message.get("more_body")
        return message

    async def _answer(self, status: int, kind: str, code: str, message: str) -> None:
        if self._has_answer:
            return
        error = {"message": message, "type": kind, "param": None, "code": code}
        body = json.dumps({"error": error}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            # What is still on its way is not the next request.
            (b"connection", b"close"),
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _number(digits: str) -> int:
    # Python refuses to read numbers of thousands of digits.
    return int(digits[:20])

"""Connections that neither dawdle nor crowd each other out."""

from __future__ import annotations

import asyncio
import json
import time
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_LEAST = 30_000
"""Bytes that a client reads in `read_seconds`, or is cut off."""


class Connection(H11Protocol):
    """An HTTP connection that ends when its client keeps it waiting.

    Requests that are no HTTP are answered in the shape of all other errors.

    Attributes:
        most: connections at the same time; one more is answered with 429 and closed.
        head_seconds: in which the head of a request is there, from when one may come.
        read_seconds: in which a client that is sent more than fits into the connection reads some
            of it.
        look_seconds: after which this is looked at again.
    """

    most: ClassVar[int] = 512
    head_seconds: ClassVar[float] = 30.0
    read_seconds: ClassVar[float] = 30.0
    look_seconds: ClassVar[float] = 2.0

    _looking: asyncio.TimerHandle | None = None
    _free_since = 0.0
    _held: tuple[float, int] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to watch it, or refuses it."""
        super().connection_made(transport)
        self._free_since = time.monotonic()
        self._looking = self.loop.call_later(self.look_seconds, self._look)
        if len(self.connections) > self.most:
            self._refuse(
                429, "busy", f"There are {self.most} connections. Try again a little later."
            )

    def connection_lost(self, exc: Exception | None) -> None:
        """Watches it no longer."""
        if self._looking is not None:
            self._looking.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """From now on a request may come."""
        self._free_since = time.monotonic()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP."""
        self._refuse(400, "invalid_http", "This is no valid HTTP request, or its head is too long.")

    def shutdown(self) -> None:
        """Ends it once its answer is out; at once, where none is on its way."""
        try:
            super().shutdown()
        except h11.LocalProtocolError:
            self.transport.abort()

    def _look(self) -> None:
        self._looking = self.loop.call_later(self.look_seconds, self._look)
        now = time.monotonic()
        if self._is_free() and now - self._free_since >= self.head_seconds:
            self._end_waiting()
        self._look_at_reader(now)

    def _is_free(self) -> bool:
        """Whether the next request may come, or is on its way."""
        is_answering = self.cycle is not None and not self.cycle.response_complete
        return not is_answering and not self.transport.is_closing()

    def _end_waiting(self) -> None:
        if self.conn.our_state is not h11.IDLE:
            # The rest of a body whose request is answered.
            self.transport.abort()
        elif self.conn.trailing_data[0]:
            self._refuse(408, "head_timeout", "The head of the request took too long.")
        else:
            self.transport.close()

    def _look_at_reader(self, now: float) -> None:
        # What waits to be sent only shrinks while writing is paused, and after the end.
        if not (self.flow.write_paused or self.transport.is_closing()):
            self._held = None
            return
        size = self.transport.get_write_buffer_size()
        if self._held is None or size <= self._held[1] - _LEAST:
            self._held = now, size
        elif now - self._held[0] >= self.read_seconds:
            self.transport.abort()

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answers in the place of the app, if nothing is answered yet, and ends the connection."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            # An answer is out, as a whole or a part of it.
            self.transport.abort()
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        kinds = {408: "timeout_error", 429: "rate_limit_error"}
        kind = kinds.get(status, "invalid_request_error")
        error = {"message": message, "type": kind, "param": None, "code": code}
        body = json.dumps({"error": error}).encode()
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        if status == 429:
            headers.append(("Retry-After", "1"))
        reason = {400: "Bad Request", 408: "Request Timeout", 429: "Too Many Requests"}[status]
        events = (
            h11.Response(status_code=status, headers=headers, reason=reason),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

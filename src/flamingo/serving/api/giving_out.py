"""Large answers: in pieces, as fast as they are read, and not too many at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from flamingo.serving.errors import Busy

_PIECE = 64 * 2**10


class Room:
    """For what is given out at the same time; clients that read nothing fill it, and no more.

    Args:
        most_bytes: of all that is under way. One answer that is larger goes alone.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self.num_bytes = 0

    def take(self, num_bytes: int) -> None:
        """Reserves room.

        Raises:
            Busy: there is none now.
        """
        if self.num_bytes and self.num_bytes + num_bytes > self._most_bytes:
            raise Busy(
                f"{self.num_bytes:,} bytes are being given out, and there is no room for "
                f"{num_bytes:,} more. Try again a little later."
            )
        self.num_bytes += num_bytes

    def leave(self, num_bytes: int) -> None:
        """Gives room back."""
        self.num_bytes -= num_bytes

    @contextmanager
    def unless_failed(self, num_bytes: int) -> Iterator[None]:
        """Reserves room, and gives it back if the block raises.

        Raises:
            Busy: there is none now.
        """
        self.take(num_bytes)
        try:
            yield
        except BaseException:
            self.leave(num_bytes)
            raise


class GivenOut(Response):
    """An answer that is sent in pieces, each once the last ones are read.

    Args:
        content: JSON.
        room: in which it has its place until it is sent.
        num_bytes: that were reserved there.
    """

    media_type = "application/json"

    def __init__(self, content: bytes, room: Room, num_bytes: int) -> None:
        super().__init__(content)
        self._room, self._num_bytes = room, num_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it, and gives its room back."""
        try:
            start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(start)
            for place in range(0, len(self.body), _PIECE):
                piece = self.body[place : place + _PIECE]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._room.leave(self._num_bytes)

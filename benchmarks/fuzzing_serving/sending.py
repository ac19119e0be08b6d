"""Sends requests, whole or as bytes, and waits for what comes, but not for ever."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.fuzzing_serving.judging import Sent

MOST_SECONDS = 60.0
"""For any answer: the limit of the server's own is half of that."""
_SHOWN = 1500


@dataclass(frozen=True)
class Ask:
    """A request that is HTTP, whatever is in it.

    Args:
        kind: what is broken.
        method: of it.
        path: of it.
        body: of it.
        headers: of it.
    """

    kind: str
    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] | None = None

    def send(self, port: int) -> Sent:
        """Sends it."""
        what = f"{self.method} {self.path} {dict(self.headers or {})} {self.body[:_SHOWN]!r}"
        begin = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=MOST_SECONDS)
        try:
            headers = {"Content-Type": "application/json", **(self.headers or {})}
            # Refused before all was sent, the answer may be there all the same.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(self.method, self.path, self.body or None, headers)
            answer = connection.getresponse()
            status, content = answer.status, answer.read()
        except TimeoutError:
            status, content = -1, b""
        except (OSError, http.client.HTTPException):
            status, content = 0, b""
        finally:
            connection.close()
        return Sent(self.kind, what, status, content, time.monotonic() - begin)


@dataclass(frozen=True)
class Raw:
    """Bytes that are sent as they are.

    Args:
        kind: what is broken.
        pieces: that are sent one after the other.
        pause: seconds between them.
        ends: what follows on them: "wait" for an answer, "half" closes what is sent, "reset" ends
            the connection.
        reads: whether answers are read.
        most_seconds: until there is an answer or the connection is closed.
    """

    kind: str
    pieces: tuple[bytes, ...]
    pause: float = 0.0
    ends: str = "wait"
    reads: bool = True
    most_seconds: float = 75.0

    def send(self, port: int) -> Sent:
        """Sends them."""
        begin = time.monotonic()
        whole = b"".join(self.pieces)
        what = f"{len(self.pieces)} pieces, {self.pause} s, then {self.ends}: {whole[:_SHOWN]!r}"
        received = b""
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                received = self._exchange(connection, begin + self.most_seconds)
        except TimeoutError:
            return Sent(self.kind, what, -1, b"", time.monotonic() - begin, True)
        except OSError:
            pass
        status, body = _parsed(received)
        return Sent(self.kind, what, status, body, time.monotonic() - begin, True)

    def _exchange(self, connection: socket.socket, end: float) -> bytes:
        received = b""
        for piece in self.pieces:
            try:
                connection.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                break
            if self.pause and time.monotonic() < end:
                time.sleep(self.pause)
        if self.ends == "reset":
            linger = (1).to_bytes(4, "little") + bytes(4)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return b""
        if self.ends == "half":
            connection.shutdown(socket.SHUT_WR)
        if not self.reads:
            time.sleep(1)
            return b""
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            # An idle connection that was answered is kept open for a while.
            connection.settimeout(min(left, 2.0) if _is_whole(received) else left)
            try:
                part = connection.recv(2**16)
            except TimeoutError:
                if _is_whole(received):
                    return received
                raise
            except ConnectionResetError:
                return received
            if not part:
                return received
            received += part


def _is_whole(received: bytes) -> bool:
    """Whether an answer is there; the first of several counts."""
    head, found, body = received.partition(b"\r\n\r\n")
    if not found:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return body.endswith(b"0\r\n\r\n") or b"transfer-encoding" not in head.lower()


def _parsed(received: bytes) -> tuple[int, bytes]:
    """Status and body of the first answer that is not 1xx; status 0 if there is none."""
    while received.startswith(b"HTTP/1.1 1"):
        received = received.partition(b"\r\n\r\n")[2]
    head, found, body = received.partition(b"\r\n\r\n")
    words = head.split(None, 2)
    if not found or len(words) < 2 or not words[1].isdigit():
        return 0, received
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            body = body[: int(line.partition(b":")[2])]
    return int(words[1]), body

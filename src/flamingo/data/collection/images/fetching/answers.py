"""One request and its answer, bounded in bytes and in seconds, whatever the server does."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from flamingo.data.collection.images.fetching.destinations import (
    Destination,
    Refused,
    Unreachable,
)
from flamingo.data.collection.sources.http_bodies import decoded_body
from flamingo.foundation.errors import DataError, reason

_BLOCK = 1 << 16


@dataclass(frozen=True)
class Answer:
    """What a server has sent.

    Attributes:
        status: such as 200.
        headers: by their names in small letters; several of one name are joined by commas.
        body: without its codings; empty unless the status is 200 to 299.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def answer_of(
    destination: Destination, user_agent: str, *, max_bytes: int, seconds: float
) -> Answer:
    """Asks for one thing.

    Args:
        destination: what to ask for.
        user_agent: who asks.
        max_bytes: of the body.
        seconds: until all of it must be there.

    Raises:
        Refused: the body is too large.
        Unreachable: no connection, an answer that is none, a body that is cut off, or too slow.
    """
    connection = _Connection(destination, seconds)
    timer = threading.Timer(seconds, connection.cut)
    timer.daemon = True
    timer.start()
    try:
        connection.request(
            "GET",
            destination.target,
            headers={
                "User-Agent": user_agent,
                "Accept": "image/*,*/*;q=0.5",
                "Accept-Encoding": "identity",
                "Connection": "close",
            },
        )
        answer = _read(connection.getresponse(), max_bytes)
        if connection.is_cut:
            # What was cut looks like the end of a body that has no length.
            raise Unreachable(_too_slow(seconds))
        return answer
    except (OSError, http.client.HTTPException, ValueError) as error:
        if connection.is_cut:
            raise Unreachable(_too_slow(seconds)) from error
        if isinstance(error, DataError):
            raise
        raise Unreachable(f"{type(error).__name__}: {reason(error)}") from error
    finally:
        timer.cancel()
        connection.close()


def _too_slow(seconds: float) -> str:
    return f"it took longer than {seconds:g} s."


def _read(response: http.client.HTTPResponse, max_bytes: int) -> Answer:
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        name = name.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if not 200 <= response.status < 300:
        return Answer(response.status, headers, b"")
    if response.length is not None and response.length > max_bytes:
        raise Refused(f"it has {response.length:,} bytes, more than the limit of {max_bytes:,}.")
    blocks, size = [], 0
    while block := response.read1(_BLOCK):
        blocks.append(block)
        size += len(block)
        if size > max_bytes:
            raise Refused(f"it has more bytes than the limit of {max_bytes:,}.")
    if response.length:
        raise Unreachable(f"the body was cut off after {size:,} bytes.")
    try:
        body = decoded_body(b"".join(blocks), None, headers.get("content-encoding"), max_bytes)
    except DataError as error:
        raise Refused(reason(error)) from error
    return Answer(response.status, headers, body)


class _Connection(http.client.HTTPConnection):
    """Goes to the number that was checked, and can be cut from another thread."""

    def __init__(self, destination: Destination, seconds: float) -> None:
        super().__init__(destination.host, destination.port, timeout=seconds)
        self.destination = destination
        self.is_cut = False
        self._opened: socket.socket | None = None

    def connect(self) -> None:
        """Instead of looking the name up again."""
        place = (self.destination.ip, self.destination.port)
        self.sock = self._opened = socket.create_connection(place, self.timeout)
        if self.destination.scheme == "https":
            # The handshake comes later, when the socket can be cut already.
            self.sock = self._opened = ssl.create_default_context().wrap_socket(
                self.sock, server_hostname=self.destination.host, do_handshake_on_connect=False
            )
            self.sock.do_handshake()

    def cut(self) -> None:
        """Ends whatever waits for the server."""
        self.is_cut = True
        if self._opened is not None:
            with contextlib.suppress(OSError):
                # Not `self.sock`, which is gone once the headers are there; and not the method of
                # a TLS socket, which would wait for the other side.
                socket.socket.shutdown(self._opened, socket.SHUT_RDWR)

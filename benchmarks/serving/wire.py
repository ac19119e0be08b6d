"""HTTP/1.1 with little work for the client: bytes out, bytes in, over a connection that stays."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field

_FIRST_WORD = re.compile(rb'"(?:content|delta)":"[^"]')
"""Where a stream has its first text, in chunks of a chat or of a few-shot answer."""
_LONGEST_HEAD = 2**16


class Broken(Exception):  # noqa: N818 (what the connection is, not what happened)
    """A connection ended, or said what is no answer, before the answer was complete."""


@dataclass
class Reply:
    """What came back.

    Attributes:
        status: of the answer.
        headers: by their names in small letters.
        body: all of it.
        first_at: when the first word of a stream was there, on the clock of `time.perf_counter`.
        done_at: when the last byte was there.
    """

    status: int
    headers: dict[str, str]
    body: bytes = b""
    first_at: float | None = None
    done_at: float = field(default=0.0)


class Connection:
    """One client's connection; it is opened when it is needed, and anew after it broke.

    Args:
        host: name or number.
        port: of the server.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, written: bytes) -> Reply:
        """Sends a request and reads all of its answer.

        Raises:
            Broken: there is no complete answer.
        """
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection(
                    self._host, self._port, limit=_LONGEST_HEAD
                )
            reader, writer = self._streams
            writer.write(written)
            await writer.drain()
            reply = await _reply(reader)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            self.close()
            raise Broken(f"{type(error).__name__}: {error}") from error
        except BaseException:
            # Half an answer would be read as the beginning of the next one.
            self.close()
            raise
        if reply.headers.get("connection") == "close":
            self.close()
        return reply

    def close(self) -> None:
        """Ends the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _reply(reader: asyncio.StreamReader) -> Reply:
    head = await reader.readuntil(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").rstrip().split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    reply = Reply(int(status.split()[1]), headers)
    if headers.get("transfer-encoding") == "chunked":
        await _read_chunks(reader, reply)
    else:
        reply.body = await reader.readexactly(int(headers["content-length"]))
    reply.done_at = time.perf_counter()
    return reply


async def _read_chunks(reader: asyncio.StreamReader, reply: Reply) -> None:
    chunks = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        chunk = (await reader.readexactly(size + 2))[:-2]
        if reply.first_at is None and _FIRST_WORD.search(chunk):
            reply.first_at = time.perf_counter()
        chunks.append(chunk)
    await reader.readexactly(2)
    reply.body = b"".join(chunks)

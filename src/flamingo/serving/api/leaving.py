"""Work for a client that may leave: it is given up when nobody waits for it any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, MutableMapping
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import StreamingResponse

_Result = TypeVar("_Result")
STREAMED: dict[int | str, dict[str, Any]] = {
    200: {"description": "The answer", "content": {"text/event-stream": {}}}
}
"""`responses` of a route whose answer may come as `EventStream`."""
_PATIENCE = 15.0
"""Seconds without a word after which a stream says that it goes on."""


async def unless_gone(request: Request, work: Awaitable[_Result]) -> _Result:
    """What the work gives; it is cancelled when the client leaves.

    Args:
        request: whose body has been read.
        work: for it.

    Raises:
        ClientDisconnect: the client has left.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def first_of(request: Request, source: AsyncGenerator[_Result, None]) -> _Result:
    """The first of what a request is answered with: only then is it known that it is taken on.

    Args:
        request: whose body has been read.
        source: of the answer; it is closed where nothing comes of it.

    Raises:
        ClientDisconnect: the client has left.
    """
    try:
        return await unless_gone(request, anext(source))
    except BaseException:
        await source.aclose()
        raise


async def _left(request: Request) -> None:
    message: MutableMapping[str, Any] = {}
    while message.get("type") != "http.disconnect":
        message = await request.receive()


class EventStream(StreamingResponse):
    """Server-sent events; their source is closed however the stream ends.

    Args:
        events: each the text of one event's data.
    """

    def __init__(self, events: AsyncIterator[str]) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(_framed(events), headers=headers, media_type="text/event-stream")

    async def stream_response(self, send: Any) -> None:
        """Sends the events, then closes their source."""
        # Left alone, it would be closed when it happens to be collected.
        body: Any = self.body_iterator
        async with aclosing(body):
            await super().stream_response(send)


async def _framed(events: AsyncIterator[str]) -> AsyncIterator[str]:
    """The events in their frames; a comment where nothing comes for long, as proxies need it."""
    source: Any = events
    async with aclosing(source):
        coming: asyncio.Task[str] | None = None
        try:
            while True:
                coming = coming or asyncio.ensure_future(anext(source))
                done, _ = await asyncio.wait({coming}, timeout=_PATIENCE)
                if not done:
                    yield ": still working\n\n"
                    continue
                try:
                    data = coming.result()
                except StopAsyncIteration:
                    return
                coming = None
                yield f"data: {data}\n\n"
        finally:
            if coming is not None:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)

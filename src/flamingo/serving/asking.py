"""From a job to its events, for coroutines: one that is left cancels its job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from flamingo.serving.engine import Engine
from flamingo.serving.events import Done, Event, Failed
from flamingo.serving.jobs import Job


async def events_of(
    engine: Engine, job: Job, *, client: str = "", since: float | None = None
) -> AsyncIterator[Event]:
    """The events of a job as they come, up to and with its `Done`.

    The job is cancelled when the iteration ends before that: by an error, by the cancellation of
    who waits, or by `aclose`.

    Args:
        engine: does the job.
        job: what is to be done.
        client: who asks; clients take turns.
        since: when the request came of which the job is a part, see `Engine.submit`.

    Raises:
        FlamingoError: the job is refused, or comes to nothing.
    """
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[Event] = asyncio.Queue()

    def deliver(event: Event) -> None:
        try:
            loop.call_soon_threadsafe(arrived.put_nowait, event)
        except RuntimeError:  # the loop is closed: nobody listens any more
            return

    ticket = engine.submit(job, deliver, client=client, since=since)
    is_over = False
    try:
        while not is_over:
            event = await arrived.get()
            is_over = isinstance(event, Done | Failed)
            if isinstance(event, Failed):
                raise event.error
            yield event
    finally:
        if not is_over:
            ticket.cancel()

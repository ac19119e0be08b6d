"""Clients that ask one request after the other, and what becomes of each request."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from benchmarks.serving.prepared import Prepared
from benchmarks.serving.wire import Broken, Connection, Reply

_PATIENCE = 180.0
"""Seconds after which an answer counts as lost: longer than a server gives a request."""

_ids = itertools.count()


@dataclass
class Outcome:
    """What became of a request.

    Attributes:
        request: that was sent.
        sent_at: for the first time, on the clock of `time.perf_counter`.
        reply: the last one; None if there was none.
        trouble: why there was none.
        refusals: how often it was refused for now, and sent again when it might be.
    """

    request: Prepared
    sent_at: float
    reply: Reply | None = None
    trouble: str = ""
    refusals: int = 0

    @property
    def is_answered(self) -> bool:
        """Whether there is an answer, complete or not."""
        return self.reply is not None and self.reply.status == 200


@dataclass
class Site:
    """Where a server is.

    Attributes:
        host: name or number.
        port: of it.
    """

    host: str
    port: int


async def asked(connection: Connection, site: Site, request: Prepared) -> Outcome:
    """One request, sent again after as many seconds as the server says when it is busy."""
    outcome = Outcome(request, time.perf_counter())
    while True:
        request_id = f"load-{next(_ids)}"
        written = request.written(f"{site.host}:{site.port}", request_id)
        try:
            async with asyncio.timeout(_PATIENCE):
                outcome.reply = reply = await connection.ask(written)
        except (Broken, TimeoutError) as error:
            outcome.trouble = str(error) or "no answer in time"
            return outcome
        if reply.headers.get("x-request-id") != request_id:
            outcome.trouble = "the answer is to another request"
            return outcome
        if reply.status != 429:
            return outcome
        outcome.refusals += 1
        await asyncio.sleep(float(reply.headers["retry-after"]))


@dataclass
class Crowd:
    """Clients at the same time, which share a supply of requests.

    Args:
        site: whom they ask.
        number: how many there are.
        outcomes: is given each as it comes.
    """

    site: Site
    number: int
    outcomes: list[Outcome] = field(default_factory=list)

    async def ask(
        self,
        requests: Iterator[Prepared],
        *,
        until: float = float("inf"),
        heard: Callable[[], object] = lambda: None,
    ) -> None:
        """Asks until the supply or the time is at its end; what was sent is waited for.

        Args:
            requests: that are to be sent.
            until: nothing is sent after it, on the clock of `time.perf_counter`.
            heard: called after each outcome.
        """

        async def client() -> None:
            connection = Connection(self.site.host, self.site.port)
            try:
                while time.perf_counter() < until:
                    request = next(requests, None)
                    if request is None:
                        return
                    self.outcomes.append(await asked(connection, self.site, request))
                    heard()
            finally:
                connection.close()

        async with asyncio.TaskGroup() as group:
            for _ in range(self.number):
                group.create_task(client())

"""Rounds of a fixed time, in which a number of clients ask as fast as they are answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.serving.clients import Crowd, Outcome, Site
from benchmarks.serving.prepared import Prepared
from benchmarks.serving.process import Process


@dataclass
class Round:
    """What happened in a round.

    Attributes:
        clients: how many asked at the same time.
        begin: of the time that counts, behind a lead-in, on the clock of `time.perf_counter`.
        end: of it. What is answered later was sent before, and counts as answered, not as speed.
        outcomes: of all requests, those of the lead-in too.
        server_cpu: seconds of the server's processor time between `begin` and `end`.
        client_cpu: of this process.
    """

    clients: int
    begin: float
    end: float
    outcomes: list[Outcome] = field(default_factory=list)
    server_cpu: float = 0.0
    client_cpu: float = 0.0

    @property
    def seconds(self) -> float:
        """That count."""
        return max(1e-9, self.end - self.begin)

    def counted(self) -> list[Outcome]:
        """Those that were answered in the time that counts."""
        return [
            one
            for one in self.outcomes
            if one.is_answered and one.reply and self.begin <= one.reply.done_at < self.end
        ]

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return len(self.counted()) / self.seconds


async def play(
    process: Process,
    requests: Sequence[Prepared],
    played: list[Round],
    *,
    clients: int,
    lead_in: float,
    seconds: float,
    heard: Callable[[], object],
) -> None:
    """Plays a round; it stands in `played` from its beginning, with what was measured so far.

    Args:
        process: the server.
        requests: more than can be answered; if they are fewer the round ends with them.
        played: where the round is put.
        clients: at the same time.
        lead_in: seconds that do not count, in which all clients come to be answered.
        seconds: that count.
        heard: called after each answer.
    """
    begin = time.perf_counter() + lead_in
    this = Round(clients, begin, begin + seconds)
    played.append(this)
    crowd = Crowd(Site(process.host, process.port), clients, this.outcomes)
    supply: Iterator[Prepared] = iter(requests)
    watch = asyncio.create_task(_watch(process, this))
    try:
        await crowd.ask(supply, until=this.end, heard=heard)
    finally:
        if next(supply, None) is None:
            this.end = min(this.end, max((one.sent_at for one in this.outcomes), default=begin))
        this.end = min(this.end, time.perf_counter())
        watch.cancel()


async def _watch(process: Process, this: Round) -> None:
    await asyncio.sleep(this.begin - time.perf_counter())
    server, client = process.cpu_seconds(), time.process_time()
    while time.perf_counter() < this.end:
        await asyncio.sleep(min(0.5, max(0.0, this.end - time.perf_counter())))
        this.server_cpu = process.cpu_seconds() - server
        this.client_cpu = time.process_time() - client

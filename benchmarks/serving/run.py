"""One run on one server: rounds of one client and of many, answers compared, memory watched."""

from __future__ import annotations

import re
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from statistics import mean
from typing import Any

from tqdm import tqdm

from benchmarks.serving.answers import Incomplete, Said, said
from benchmarks.serving.clients import Crowd, Outcome, Site, asked
from benchmarks.serving.memory import Sample
from benchmarks.serving.mix import Mix, names_of_sets, some
from benchmarks.serving.prepared import FEW_SHOT, Prepared, prepared
from benchmarks.serving.process import Process
from benchmarks.serving.rounds import Round, play
from benchmarks.serving.wire import Connection

_SETS = f"{FEW_SHOT}/support_sets"
_SPARE = 1.6
"""Requests that are prepared for each that the last round of the kind would need."""
_EVERY = 100
"""Requests between two samples of memory."""


@dataclass(frozen=True)
class Plan:
    """What is to be measured.

    Args:
        clients: at the same time.
        seconds: that each of the two parts has in all.
        rounds: into which the parts are divided, which take turns.
        requests: over which memory is watched.
        compared: answers of the crowd that are asked for again, one at a time.
        warm_up: requests of one client, and then of all, before anything is measured.
    """

    clients: int = 64
    seconds: float = 60.0
    rounds: int = 3
    requests: int = 5000
    compared: int = 200
    warm_up: int = 80


@dataclass
class Found:
    """What was measured so far; it is filled as the run goes on.

    Attributes:
        rounds: of one client and of many.
        engine: before and after each round, what `/metrics` says.
        pairs: of compared answers, the crowd's one and that of the same request alone.
        samples: of memory.
        statuses: of all replies, in the watched requests too.
        troubles: by what went wrong, how often.
        refusals: how often a request was refused for now.
        num_complete: requests with exactly one whole answer.
        num_sent: all requests.
    """

    rounds: list[Round] = field(default_factory=list)
    engine: list[tuple[dict[str, float], dict[str, float]]] = field(default_factory=list)
    pairs: list[tuple[str, Said, Said]] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    refusals: int = 0
    num_complete: int = 0
    num_sent: int = 0
    _ids: set[str] = field(default_factory=set)

    def note(self, outcomes: list[Outcome]) -> None:
        """Counts what became of requests."""
        for one in outcomes:
            self.num_sent += 1
            self.refusals += one.refusals
            if one.reply is not None:
                self.statuses[str(one.reply.status)] += 1
            trouble = one.trouble or self._trouble(one)
            if trouble:
                self.troubles[f"{one.request.kind}: {trouble}"[:300]] += 1
            else:
                self.num_complete += 1

    def _trouble(self, one: Outcome) -> str:
        assert one.reply is not None
        if not one.is_answered:
            return f"{one.reply.status} {one.reply.body[:200].decode(errors='replace')}"
        try:
            answer = said(one.request, one.reply.body)
        except Incomplete as error:
            return str(error)
        if answer.id in self._ids:
            return "two answers have one id"
        self._ids.add(answer.id)
        return ""


async def measure(process: Process, plan: Plan, found: Found) -> None:
    """Warms up, plays all rounds, compares answers, watches memory."""
    mix = Mix()
    await _make_sets(process, mix)
    supply = iter(mix)
    rates = await _warm_up(process, plan, supply)
    lead_in = min(3.0, plan.seconds / plan.rounds / 4)
    for number in range(2 * plan.rounds):
        clients = plan.clients if number % 2 else 1
        seconds = plan.seconds / plan.rounds
        needed = int(_SPARE * rates[clients] * (seconds + lead_in)) + 2 * clients
        requests = _drawn(supply, needed)
        before = engine_numbers(process)
        with tqdm(desc=f"{clients} client(s)", unit=" requests") as bar:
            try:
                await play(
                    process,
                    requests,
                    found.rounds,
                    clients=clients,
                    lead_in=lead_in,
                    seconds=seconds,
                    heard=bar.update,
                )
            finally:
                this = found.rounds[-1]
                found.note(this.outcomes)
                found.engine.append((before, engine_numbers(process)))
        rates[clients] = max(rates[clients], this.rate)
    await _compare(process, plan, found)
    if process.pid is not None:
        await _watch_memory(process, plan, supply, found)
    _delete_sets(process)


def engine_numbers(process: Process) -> dict[str, float]:
    """What `/metrics` says of the engine and of tokens; nothing if it may not be read."""
    try:
        address = f"http://{process.host}:{process.port}/metrics"
        with urllib.request.urlopen(address, timeout=30) as answer:
            text = answer.read().decode()
    except OSError:
        return {}
    found = re.findall(r"^flamingo_(\w+) ([\d.e+-]+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in found}


def _drawn(supply: Iterator[Prepared], number: int) -> list[Prepared]:
    shown = tqdm(range(number), desc="drawing pictures", unit=" requests", leave=False)
    return [next(supply) for _ in shown]


async def _make_sets(process: Process, mix: Mix) -> None:
    await _expect(process, [prepared("make a set", _SETS, body) for body in mix.support_sets()])


def _delete_sets(process: Process) -> None:
    for name in names_of_sets():
        address = f"http://{process.host}:{process.port}{_SETS}/{name}"
        urllib.request.urlopen(urllib.request.Request(address, method="DELETE"), timeout=30).close()


async def _expect(process: Process, requests: list[Prepared]) -> None:
    """Asks one after the other, all of which have to succeed."""
    site = Site(process.host, process.port)
    connection = Connection(site.host, site.port)
    for request in requests:
        outcome = await asked(connection, site, request)
        if outcome.reply is None or outcome.reply.status >= 300:
            told = outcome.trouble or (outcome.reply and outcome.reply.body[:300])
            raise RuntimeError(f"{request.kind}: {told!r}")
    connection.close()


async def _warm_up(process: Process, plan: Plan, supply: Iterator[Prepared]) -> dict[int, float]:
    """Rates that are seen once everything has been used, for one client and for all."""
    rates: dict[int, float] = {}
    for clients in (1, plan.clients):
        played: list[Round] = []
        requests = _drawn(supply, max(plan.warm_up, clients))
        await play(
            process,
            requests,
            played,
            clients=clients,
            lead_in=0.0,
            seconds=300.0,
            heard=lambda: None,
        )
        rates[clients] = max(1.0, played[0].rate)
    return rates


async def _compare(process: Process, plan: Plan, found: Found) -> None:
    """Asks again, one at a time, what was answered among others; as many of each kind."""
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for this in found.rounds:
        if this.clients > 1:
            for one in this.counted():
                by_kind[one.request.kind].append(one)
    in_turns = (one for one in chain(*zip_longest(*by_kind.values())) if one is not None)
    chosen = [one for one, _ in zip(in_turns, range(plan.compared), strict=False)]
    site = Site(process.host, process.port)
    connection = Connection(site.host, site.port)
    again = []
    for one in tqdm(chosen, desc="asked again, alone", unit=" requests"):
        outcome = await asked(connection, site, one.request)
        again.append(outcome)
        assert one.reply is not None
        if outcome.is_answered and outcome.reply is not None:
            both = said(one.request, one.reply.body), said(one.request, outcome.reply.body)
            found.pairs.append((one.request.kind, *both))
    found.note(again)
    connection.close()


async def _watch_memory(
    process: Process, plan: Plan, supply: Iterator[Prepared], found: Found
) -> None:
    site = Site(process.host, process.port)
    found.samples.append(_sample(process, 0))
    with tqdm(total=plan.requests, desc="memory", unit=" requests") as bar:
        while bar.n < plan.requests:
            requests = some(supply, min(_EVERY, plan.requests - int(bar.n)))
            crowd = Crowd(site, plan.clients)
            await crowd.ask(iter(requests), heard=bar.update)
            found.note(crowd.outcomes)
            found.samples.append(_sample(process, int(bar.n)))


def _sample(process: Process, requests: int) -> Sample:
    engine = engine_numbers(process)
    return Sample(
        requests,
        **process.memory(),
        prefix_bytes=int(engine.get("engine_prefix_bytes", 0)),
        num_visuals=int(engine.get("engine_num_visuals", 0)),
    )


def gain(rounds: list[Round]) -> dict[str, Any]:
    """Speeds of one client and of many, and how many times as fast the many are served."""
    one = [this.rate for this in rounds if this.clients == 1]
    many = [this.rate for this in rounds if this.clients > 1]
    pairs = [b / a for a, b in zip(one, many, strict=False) if a]
    whole = mean(many) / mean(one) if pairs and mean(one) else None
    return {"one": one, "many": many, "ratio": whole, "ratios": pairs}

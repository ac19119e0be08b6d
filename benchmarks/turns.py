"""Contenders take turns, so that whatever else a machine does troubles all of them alike."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from benchmarks.measuring import Times

Work = Callable[[], Times]
"""Does something once and says how long it took."""


@dataclass(frozen=True)
class Comparison:
    """One number over another.

    Attributes:
        ratio: of the medians.
        spread: the lowest and the highest ratio of a round.
        cpu_ratio: `ratio` in CPU time.
        over: median of the number above, in seconds.
        under: median of the number below.
    """

    ratio: float
    spread: tuple[float, float]
    cpu_ratio: float
    over: float
    under: float


def timed(work: Callable[[], object]) -> Work:
    """`work` as one turn."""

    def turn() -> Times:
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        return Times(time.perf_counter() - wall, time.process_time() - cpu)

    return turn


def take_turns(
    works: Mapping[str, Work], rounds: int, *, warm_up: Mapping[str, Work] | None = None
) -> dict[str, list[Times]]:
    """What each turn took, after a round that is not counted; says on stderr how far it is.

    Args:
        works: one per contender.
        rounds: in which each has one turn; every second one goes backwards.
        warm_up: what the uncounted round does instead, where the works are long.
    """
    taken: dict[str, list[Times]] = {name: [] for name in works}
    for name, work in (warm_up or works).items():
        _say("warm-up", name, work())
    for number in range(rounds):
        for name in list(works) if number % 2 == 0 else list(works)[::-1]:
            taken[name].append(works[name]())
            _say(f"round {number + 1} of {rounds}", name, taken[name][-1])
    return taken


def compare(
    over: Sequence[Times], under: Sequence[Times], *, per: tuple[int, int] = (1, 1)
) -> Comparison:
    """How many times as long the first took as the second.

    Args:
        over: turns of the first.
        under: turns of the second, round by round.
        per: how many things each turn of the first, and of the second, was for.
    """
    first = [one.wall_seconds / per[0] for one in over]
    second = [one.wall_seconds / per[1] for one in under]
    rounds = [a / b for a, b in zip(first, second, strict=True)]
    cpu = median(one.cpu_seconds for one in over) / per[0]
    cpu /= median(one.cpu_seconds for one in under) / per[1]
    ratio = median(first) / median(second)
    return Comparison(ratio, (min(rounds), max(rounds)), cpu, median(first), median(second))


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The power of the size that fits costs best, by least squares on logarithms; 1 is linear."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def _say(when: str, name: str, times: Times) -> None:
    print(f"  {when}: {name} {times.wall_seconds:.4f} s", file=sys.stderr, flush=True)

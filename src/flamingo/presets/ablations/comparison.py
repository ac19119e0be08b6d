"""How far a row is from another one, with an interval, and whether the paper's sign is found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from flamingo.presets.ablations.result import ArmResult

Direction = Literal["agrees", "disagrees", "undecided"]
_REPLICATES = 2_000


@dataclass(frozen=True)
class Difference:
    """A row minus its reference, in points of the mean above chance.

    Args:
        mean: over seeds and tasks.
        low: lower end of the 95 % interval.
        high: upper end.
        seeds: the seeds that both have.
    """

    mean: float
    low: float
    high: float
    seeds: tuple[int, ...]


def points(result: ArmResult) -> Float[np.ndarray, "tasks queries"]:
    """What every answer is worth: their mean is the mean above chance.

    A right answer counts 100, and a wrong one so far below 0 that guessing counts 0.
    """
    rows = []
    for task, answers in result.right.items():
        chance = result.chance[task]
        right = np.array([answer == "1" for answer in answers], dtype=float)
        rows.append(100 * (right - chance) / (1 - chance))
    return np.stack(rows)


def paired_difference(
    row: Sequence[ArmResult], reference: Sequence[ArmResult], *, seed: int = 0
) -> Difference | None:
    """The difference over the seeds that both have; None if there is no such seed.

    Both were asked the same queries, so answers are compared query by query. The interval is that
    of a bootstrap which draws seeds anew, where there are at least two, and then the queries of
    each task, the same ones for all seeds. The spread of S seeds around their own mean is too
    small by (S - 1) / S as a variance, so the drawn seeds' deviations are scaled by the root of
    S / (S - 1). With one seed the interval says nothing of other seeds.

    Args:
        row: its results, one per seed.
        reference: the same of the row that it is compared with.
        seed: of the bootstrap.
    """
    ours, theirs = ({one.seed: one for one in results} for results in (row, reference))
    seeds = tuple(sorted(ours.keys() & theirs.keys()))
    if not seeds:
        return None
    gaps = np.stack([points(ours[number]) - points(theirs[number]) for number in seeds])
    low, high = np.quantile(_bootstrap(gaps, np.random.default_rng(seed)), (0.025, 0.975))
    return Difference(float(gaps.mean()), float(low), float(high), seeds)


def _bootstrap(
    gaps: Float[np.ndarray, "seeds tasks queries"], rng: np.random.Generator
) -> Float[np.ndarray, " replicates"]:
    """Means over seeds, tasks and queries that were drawn again with replacement."""
    num_tasks, num_queries = gaps.shape[1:]
    of_seeds = _weights(len(gaps), rng)
    total = np.zeros(_REPLICATES)
    for task in range(num_tasks):
        queries = rng.integers(num_queries, size=(_REPLICATES, num_queries))
        for number in range(len(gaps)):
            total += of_seeds[:, number] * gaps[number, task][queries].mean(1)
    return total / num_tasks


def _weights(num_seeds: int, rng: np.random.Generator) -> Float[np.ndarray, "replicates seeds"]:
    """What each seed counts in each replicate; 1 in all, and more or less than its part."""
    even = np.full(num_seeds, 1 / num_seeds)
    if num_seeds == 1:
        return np.ones((_REPLICATES, 1))
    drawn = rng.multinomial(num_seeds, even, _REPLICATES) / num_seeds
    return even + math.sqrt(num_seeds / (num_seeds - 1)) * (drawn - even)


def direction(difference: Difference | None, paper: float | None) -> Direction | None:
    """Whether our sign is the paper's; undecided where our interval has a zero in it.

    Args:
        difference: ours; None if there is none.
        paper: the paper's difference; None or 0 where it has no sign.
    """
    if difference is None or not paper:
        return None
    if difference.low <= 0 <= difference.high:
        return "undecided"
    return "agrees" if (difference.mean > 0) == (paper > 0) else "disagrees"

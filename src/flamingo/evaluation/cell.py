"""One number of a results table, with all that is needed to judge it."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """The accuracy of one task at one number of shots, in percent.

    Attributes:
        task: name of the task.
        held_out: whether the task was kept out of training and of every choice of a setting.
        shots: supports in the prompt.
        control: what was taken away from the episodes; "none" is the score itself.
        metric: what is counted.
        score: share of right answers, 0 to 100.
        low: lower end of the 95 % interval.
        high: upper end of the 95 % interval.
        n: number of queries.
        chance: what guessing among the candidates, or copying from the shots, is worth, 0 to 100.
        above_chance: 0 for chance, 100 for all right: 100 · (accuracy - chance) / (1 - chance).
    """

    task: str
    held_out: bool
    shots: int
    control: str
    metric: str
    score: float
    low: float
    high: float
    n: int
    chance: float
    above_chance: float

    @property
    def half_interval(self) -> float:
        """Half the width of the 95 % interval, in points."""
        return (self.high - self.low) / 2

    @classmethod
    def of(
        cls,
        task: str,
        *,
        held_out: bool,
        shots: int,
        metric: str,
        right: int,
        n: int,
        chance: float,
        control: str = "none",
    ) -> Cell:
        """The cell for `right` of `n` queries, where guessing gets a share of `chance`."""
        low, high = wilson_interval(right, n)
        share = right / n
        return cls(
            task=task,
            held_out=held_out,
            shots=shots,
            control=control,
            metric=metric,
            score=100 * share,
            low=100 * low,
            high=100 * high,
            n=n,
            chance=100 * chance,
            above_chance=100 * (share - chance) / (1 - chance),
        )


def wilson_interval(right: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The score interval of a share: honest at 0 and at 1, where the usual one has no width."""
    share = right / n
    center = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # The ends meet the share itself at 0 and at 1, where rounding would put them beside it.
    return max(0.0, min(share, (center - spread) / scale)), min(
        1.0, max(share, (center + spread) / scale)
    )

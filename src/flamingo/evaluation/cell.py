"""One number of a results table, with all that is needed to judge it."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """The score of one task at one number of shots, in points.

    Attributes:
        task: name of the task.
        held_out: whether the task was kept out of training and of every choice of a setting.
        shots: supports in the prompt.
        control: what was taken away from the episodes; "none" is the score itself.
        metric: what the score is, such as "accuracy" or "CIDEr".
        score: 0 to 100; CIDEr, which has no bound, times 100.
        low: lower end of the 95 % interval.
        high: upper end of the 95 % interval.
        n: number of queries.
        chance: what guessing among the candidates, or copying from the shots, is worth, 0 to 100;
            None where nothing can be guessed that a score would be held against.
        above_chance: 0 for chance, 100 for all right: 100 · (score - chance) / (100 - chance);
            None without a chance.
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
    chance: float | None = None
    above_chance: float | None = None

    @property
    def half_interval(self) -> float:
        """Half the width of the 95 % interval, in points."""
        return (self.high - self.low) / 2


def above_chance(score: float, chance: float) -> float:
    """A score between chance, which is 0, and all right, which is 100; all in points."""
    return 100 * (score - chance) / (100 - chance)


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

"""The interval of a difference of two shares that were counted on the same queries."""

from __future__ import annotations

import math
from collections.abc import Sequence

from flamingo.evaluation.cell import wilson_interval


def newcombe_interval(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the first share less the second, -1 to 1.

    It joins Wilson's intervals of both shares, and is as honest at 0 and at 1 as these are.

    Args:
        first: of every query, 1 if the first model is right and 0 if not.
        second: the same for the second model.

    Source: Newcombe (1998), "Improved confidence intervals for the difference between binomial
    proportions based on paired data", method 10.
    """
    n = len(first)
    right, other_right = round(sum(first)), round(sum(second))
    both = sum(one == other == 1 for one, other in zip(first, second, strict=True))
    phi = _phi(both, right - both, other_right - both, n - right - other_right + both)
    share, other = right / n, other_right / n
    low, high = wilson_interval(right, n)
    other_low, other_high = wilson_interval(other_right, n)

    def reach(one: float, another: float) -> float:
        return math.sqrt(max(0.0, one * one - 2 * phi * one * another + another * another))

    difference = share - other
    return (
        difference - reach(share - low, other_high - other),
        difference + reach(high - share, other - other_low),
    )


def _phi(both: int, only_first: int, only_second: int, neither: int) -> float:
    """How much the two go together, moved towards 0 by the method's correction."""
    rows = (both + only_first) * (only_second + neither)
    columns = (both + only_second) * (only_first + neither)
    if not rows * columns:
        return 0.0
    n = both + only_first + only_second + neither
    excess = both * neither - only_first * only_second
    if excess > 0:
        return max(0.0, excess - n / 2) / math.sqrt(rows * columns)
    return excess / math.sqrt(rows * columns)

"""Welch's t-test: whether two groups differ in their means, whatever their variances are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from flamingo.foundation.errors import ConfigError


@dataclass(frozen=True)
class Welch:
    """The outcome of the test.

    Attributes:
        t: difference of the means in units of its standard error; infinite where no value of
            either group differs from the others, and the means do.
        degrees: of freedom, after Welch and Satterthwaite.
        p: chance of so large a difference, in either direction, if the means are equal.
    """

    t: float
    degrees: float
    p: float


def welch_t_test(first: Sequence[float], second: Sequence[float]) -> Welch:
    """The two-sided test of unequal variances.

    Raises:
        ConfigError: a group has fewer than two values.
    """
    if min(len(first), len(second)) < 2:
        raise ConfigError(
            f"A t-test needs two values of each group, not {len(first)} and {len(second)}: from "
            "one value nobody can tell how far others lie.\nGive more, or leave the group out."
        )
    errors = variance(first) / len(first), variance(second) / len(second)
    difference, error = fmean(first) - fmean(second), math.sqrt(sum(errors))
    fewest = float(min(len(first), len(second)) - 1)
    if error == 0:
        if difference == 0:
            return Welch(0.0, fewest, 1.0)
        return Welch(math.copysign(math.inf, difference), fewest, 0.0)
    # As shares: their squares cannot vanish, however small the variances are.
    shares = errors[0] / sum(errors), errors[1] / sum(errors)
    degrees = 1 / (shares[0] ** 2 / (len(first) - 1) + shares[1] ** 2 / (len(second) - 1))
    t = difference / error
    return Welch(t, degrees, student_two_sided(t, degrees))


def student_two_sided(t: float, degrees: float) -> float:
    """The chance that Student's t lies farther from 0 than `t`."""
    return incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5)


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function I_x(a, b), for x from 0 to 1 and a, b above 0.

    By its continued fraction, on the side where that converges fast: about √max(a, b) steps.

    Raises:
        ConfigError: x, a or b lie elsewhere.
    """
    if not (0 <= x <= 1 and 0 < a < math.inf and 0 < b < math.inf):
        raise ConfigError(
            f"The incomplete beta function has no value at x = {x}, a = {a}, b = {b}.\n"
            "x must lie between 0 and 1, and a and b above 0."
        )
    if x in (0.0, 1.0):
        return x
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(1 - x, b, a)
    logarithm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    logarithm += a * math.log(x) + b * math.log1p(-x)
    return math.exp(logarithm) * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction 1 / (1 + d₁ / (1 + d₂ / (1 + …))), evaluated by Lentz's method."""
    smallest, precision = 1e-300, 1e-15
    value, numerator, denominator = 1.0, 1.0, 0.0
    # Far more steps than any number of queries needs.
    for step in range(1, 100_000):
        half, is_odd = divmod(step, 2)
        if is_odd:
            d = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            d = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        denominator = 1 / _away_from_zero(1 + d * denominator, smallest)
        numerator = _away_from_zero(1 + d / numerator, smallest)
        value *= numerator * denominator
        if abs(numerator * denominator - 1) < precision:
            break
    return 1 / value


def _away_from_zero(value: float, smallest: float) -> float:
    return value if abs(value) > smallest else smallest

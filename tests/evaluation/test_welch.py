from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.evaluation.welch import incomplete_beta, student_two_sided, welch_t_test
from flamingo.foundation.errors import ConfigError

NUMBERS = st.floats(0.01, 300)


def test_a_textbook_example() -> None:
    first = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7]
    second = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 20.5]
    found = welch_t_test([*first, 21.4], [*second, 24.4])
    assert found.t == pytest.approx(-2.46, abs=0.005)
    assert found.degrees == pytest.approx(25.0, abs=0.05)
    assert found.p == pytest.approx(0.021, abs=0.0005)


@pytest.mark.parametrize("t", [0.0, 1e-4, 0.5, 2.0, 31.0, 1e4])
def test_one_and_two_degrees_have_closed_forms(t: float) -> None:
    assert student_two_sided(t, 1.0) == pytest.approx(2 / math.pi * math.atan2(1, t), rel=1e-9)
    # Written so that nothing is lost where t is large.
    tail = 2 / (math.sqrt(2 + t * t) * (math.sqrt(2 + t * t) + t))
    assert student_two_sided(-t, 2.0) == pytest.approx(tail, rel=1e-9)


@pytest.mark.parametrize(("t", "degrees"), [(0.7, 3.5), (2.1, 17.25), (1.0, 400.0), (3.3, 61.0)])
def test_the_chance_is_the_integral_of_the_density(t: float, degrees: float) -> None:
    scale = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)
    x = np.linspace(0, t, 2001)
    density = (1 + x * x / degrees) ** (-(degrees + 1) / 2)
    density *= math.exp(scale) / math.sqrt(degrees * math.pi)
    # Simpson's rule.
    weights = np.array([1, *[4, 2] * 999, 4, 1]) * (x[1] - x[0]) / 3
    assert student_two_sided(t, degrees) == pytest.approx(1 - 2 * weights @ density, abs=1e-10)


def test_many_degrees_are_the_normal_distribution() -> None:
    for t in (0.3, 1.96, 4.0):
        normal = math.erfc(t / math.sqrt(2))
        assert student_two_sided(t, 1e7) == pytest.approx(normal, rel=1e-5)


def test_closed_forms_of_the_incomplete_beta_function() -> None:
    for x in (0.0, 0.1, 0.5, 0.93, 1.0):
        assert incomplete_beta(x, 1.0, 1.0) == pytest.approx(x)
        assert incomplete_beta(x, 3.0, 1.0) == pytest.approx(x**3)
        assert incomplete_beta(x, 1.0, 2.5) == pytest.approx(1 - (1 - x) ** 2.5)
        binomial = sum(math.comb(9, k) * x**k * (1 - x) ** (9 - k) for k in range(4, 10))
        assert incomplete_beta(x, 4.0, 6.0) == pytest.approx(binomial)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.001, 0.999), NUMBERS, NUMBERS)
def test_both_sides_sum_to_one_and_the_recursion_holds(x: float, a: float, b: float) -> None:
    value = incomplete_beta(x, a, b)
    assert value + incomplete_beta(1 - x, b, a) == pytest.approx(1)
    step = a * math.log(x) + b * math.log1p(-x) - math.log(a)
    step += math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    assert incomplete_beta(x, a + 1, b) == pytest.approx(value - math.exp(step), abs=1e-9)


def test_values_that_do_not_vary() -> None:
    assert welch_t_test([1.0, 1.0], [1.0, 1.0]).p == 1
    found = welch_t_test([0.0, 0.0], [1.0, 1.0, 1.0])
    assert (found.t, found.degrees, found.p) == (-math.inf, 1.0, 0.0)


def test_one_value_is_too_few() -> None:
    with pytest.raises(ConfigError, match="two values of each group, not 1 and 2"):
        welch_t_test([1.0], [1.0, 2.0])


def test_no_value_outside_of_zero_to_one() -> None:
    with pytest.raises(ConfigError, match=r"no value at x = nan, a = 1\.0, b = 2\.0"):
        incomplete_beta(math.nan, 1.0, 2.0)

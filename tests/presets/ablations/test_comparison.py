"""The arithmetic of the table: paired, above chance, over seeds and queries."""

from __future__ import annotations

import numpy as np
import pytest

from flamingo.presets.ablations.comparison import (
    Difference,
    direction,
    paired_difference,
    points,
)
from flamingo.presets.ablations.result import ArmResult


def result(right: dict[str, str], seed: int = 0, chance: float = 0.25) -> ArmResult:
    return ArmResult(
        row="any",
        seed=seed,
        learning_rate=1.0,
        right=right,
        chance=dict.fromkeys(right, chance),
        num_parameters=2,
        num_trained=1,
        seconds_per_step=1.0,
        seconds=1.0,
    )


def drawn(share: float, num: int, seed: int) -> str:
    rng = np.random.default_rng(seed)
    return "".join("1" if hit else "0" for hit in rng.random(num) < share)


def test_guessing_is_worth_nothing_and_all_right_is_worth_100() -> None:
    assert result({"a": "1000"}).overall == pytest.approx(0.0)
    assert result({"a": "1111"}).overall == 100.0
    assert points(result({"a": "1000", "b": "1111"})).mean() == pytest.approx(50.0)


def test_equal_answers_have_no_difference() -> None:
    same = [result({"a": "1010", "b": "0111"}, seed) for seed in (0, 1)]
    found = paired_difference(same, same)
    assert found == Difference(0.0, 0.0, 0.0, (0, 1))
    assert direction(found, -4.2) == "undecided"


def test_the_difference_is_that_of_the_overall_scores() -> None:
    row = [result({"a": drawn(0.4, 50, 1), "b": drawn(0.9, 50, 2)})]
    baseline = [result({"a": drawn(0.6, 50, 3), "b": drawn(0.7, 50, 4)})]
    found = paired_difference(row, baseline)
    assert found is not None
    assert found.mean == pytest.approx(row[0].overall - baseline[0].overall)
    assert found.low < found.mean < found.high


def test_pairing_makes_the_interval_narrow() -> None:
    """Answers that differ at few queries say more than answers that only have other means."""
    baseline = drawn(0.5, 400, 1)
    alike = baseline.replace("0", "1", 20)
    unlike = "".join(sorted(alike))
    widths = []
    for answers in (alike, unlike):
        found = paired_difference([result({"a": answers})], [result({"a": baseline})])
        assert found is not None
        assert found.mean == pytest.approx(100 * 20 / 400 / 0.75)
        widths.append(found.high - found.low)
    assert widths[0] < widths[1] / 2


def test_more_queries_make_it_narrow() -> None:
    widths = []
    for num in (50, 800):
        row, baseline = result({"a": drawn(0.5, num, 1)}), result({"a": drawn(0.5, num, 2)})
        found = paired_difference([row], [baseline])
        assert found is not None
        widths.append(found.high - found.low)
    assert widths[1] == pytest.approx(widths[0] / 4, rel=0.2)


def test_seeds_that_contradict_each_other_make_it_wide() -> None:
    """The same answers in all, but from two runs of which only one is better.

    Two seeds spread by √2 more than they do around their own mean.
    """
    num = 400
    baseline = [result({"a": "01" * (num // 2)}, seed) for seed in (0, 1)]
    better, same = "1" * num, "01" * (num // 2)
    halfway = "1" * (num // 2) + same[num // 2 :]
    unsteady = paired_difference([result({"a": better}, 0), result({"a": same}, 1)], baseline)
    steady = paired_difference([result({"a": halfway}, 0), result({"a": halfway}, 1)], baseline)
    assert unsteady is not None
    assert steady is not None
    assert unsteady.mean == pytest.approx(steady.mean)
    half = unsteady.mean
    assert half == pytest.approx(100 / 3)
    assert unsteady.low == pytest.approx(half - 2**0.5 * half, abs=4)
    assert steady.low > 20


def test_the_spread_of_seeds_is_not_underestimated() -> None:
    """Three runs, of which one is better at every query: the interval is that of their mean."""
    row = [result({"a": "1" * 10 if seed == 0 else "0" * 10}, seed, 0.0) for seed in range(3)]
    baseline = [result({"a": "0" * 10}, seed, 0.0) for seed in range(3)]
    found = paired_difference(row, baseline)
    assert found is not None
    assert found.mean == pytest.approx(100 / 3)
    # All three draws are of the better one in 1 of 27 cases, of the others in 8.
    assert found.high == pytest.approx(100 / 3 + 1.5**0.5 * 200 / 3)
    assert found.low == pytest.approx(100 / 3 - 1.5**0.5 * 100 / 3)


def test_only_seeds_that_both_have_are_compared() -> None:
    row = [result({"a": "11"}, 0), result({"a": "11"}, 1)]
    baseline = [result({"a": "00"}, 1), result({"a": "11"}, 2)]
    found = paired_difference(row, baseline)
    assert found is not None
    assert (found.seeds, found.mean) == ((1,), pytest.approx(100 / 0.75))
    assert paired_difference(row[:1], baseline) is None


def test_nearly_all_intervals_hold_the_truth() -> None:
    hits = 0
    for trial in range(60):
        row = [result({"a": drawn(0.6, 200, 2 * trial)}, chance=0.0)]
        baseline = [result({"a": drawn(0.5, 200, 2 * trial + 1)}, chance=0.0)]
        found = paired_difference(row, baseline)
        assert found is not None
        hits += found.low <= 10.0 <= found.high
    assert hits >= 53


@pytest.mark.parametrize(
    ("interval", "paper", "expected"),
    [
        ((-5.0, -8.0, -2.0), -4.2, "agrees"),
        ((5.0, 2.0, 8.0), -4.2, "disagrees"),
        ((-5.0, -11.0, 1.0), -4.2, "undecided"),
        ((0.8, 0.1, 1.5), 0.8, "agrees"),
        ((5.0, 2.0, 8.0), None, None),
        ((5.0, 2.0, 8.0), 0.0, None),
    ],
)
def test_directions(
    interval: tuple[float, float, float], paper: float | None, expected: str | None
) -> None:
    assert direction(Difference(*interval, seeds=(0,)), paper) == expected
    assert direction(None, paper) is None

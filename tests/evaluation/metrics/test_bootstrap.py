from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.evaluation.cell import wilson_interval
from flamingo.evaluation.metrics.accuracy import Accuracy
from flamingo.evaluation.metrics.bootstrap import interval, paired_difference
from flamingo.evaluation.metrics.cider import Cider
from flamingo.evaluation.metrics.ivqa_accuracy import IvqaAccuracy
from flamingo.evaluation.metrics.multiple_choice_by_type import MultipleChoiceByType
from flamingo.evaluation.metrics.newcombe import newcombe_interval
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.evaluation.metrics.resampling import sample_scores
from flamingo.evaluation.metrics.roc_auc import RocAuc
from flamingo.evaluation.metrics.vqa_accuracy import VqaAccuracy
from flamingo.foundation.errors import ConfigError, DataError


def answered(is_right: list[bool]) -> list[Outcome]:
    return [Outcome("a" if right else "b", ("a",)) for right in is_right]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_a_share_has_the_interval_of_wilson(is_right: list[bool]) -> None:
    found = interval(Accuracy(), answered(is_right))
    low, high = wilson_interval(sum(is_right), len(is_right))
    assert (found.low, found.high) == pytest.approx((100 * low, 100 * high))
    assert found.low <= found.score <= found.high
    assert found.high - found.low > 0


@pytest.mark.parametrize("right", [True, False])
def test_no_metric_is_certain_where_all_are_right_or_none(right: bool) -> None:
    typed = [
        Outcome("a" if right else "b", ("a",) * 10, details={"type": str(number % 3)})
        for number in range(12)
    ]
    expected = wilson_interval(12 * right, 12)
    for metric in (Accuracy(), VqaAccuracy(), IvqaAccuracy(), MultipleChoiceByType()):
        found = interval(metric, typed)
        assert (found.low, found.high) == pytest.approx((100 * expected[0], 100 * expected[1]))


def halves(rng: np.random.Generator, n: int) -> list[Outcome]:
    """Answers to iVQA that one person gave, or two, or nobody."""
    counts = rng.integers(3, size=n).tolist()
    return [Outcome("a", ("a",) * count + ("b",) * (5 - count)) for count in counts]


def test_the_bootstrap_is_near_what_theory_says_of_a_mean() -> None:
    outcomes = halves(np.random.default_rng(0), 400)
    each = IvqaAccuracy().each(outcomes)
    found = interval(IvqaAccuracy(), outcomes, "some task", num_samples=4000)
    spread = 1.96 * 100 * float(np.std(each)) / 20
    assert found.low == pytest.approx(found.score - spread, abs=0.15 * spread)
    assert found.high == pytest.approx(found.score + spread, abs=0.15 * spread)
    again = interval(IvqaAccuracy(), outcomes, "some task", num_samples=4000)
    other = interval(IvqaAccuracy(), outcomes, "another", num_samples=4000)
    assert again == found != other


class Slow:
    """The mean again, as a metric that offers nothing but its total."""

    name = "slow"

    def each(self, outcomes: list[Outcome]) -> list[float]:
        return IvqaAccuracy().each(outcomes)

    def total(self, outcomes: list[Outcome], each: list[float]) -> float:
        assert each == self.each(outcomes)
        return 100 * sum(each) / len(each)


def test_any_metric_can_be_resampled_by_its_total() -> None:
    outcomes = halves(np.random.default_rng(1), 50)
    found = interval(Slow(), outcomes, num_samples=300)
    fast = interval(IvqaAccuracy(), outcomes, num_samples=300)
    assert found.score == pytest.approx(fast.score)
    assert (found.low, found.high) == pytest.approx((fast.low, fast.high), abs=4)


def test_a_thousand_samples_of_five_thousand_take_less_than_a_few_seconds() -> None:
    each = np.random.default_rng(0).random(5000).tolist()
    outcomes = [Outcome("a", ("a",))] * 5000
    start = time.perf_counter()
    scores = sample_scores(IvqaAccuracy(), outcomes, each, (), 1000)
    assert time.perf_counter() - start < 5
    assert scores.shape == (1000,)
    assert scores.std() == pytest.approx(100 * np.std(each) / 5000**0.5, rel=0.1)


def memes(rng: np.random.Generator, n: int, skill: float) -> list[Outcome]:
    """Scores that tell more the higher the skill; the same memes for the same generator."""
    labels, noise = rng.integers(2, size=n).tolist(), rng.normal(size=n).tolist()
    return [
        Outcome("", (("no", "yes")[label],), (("no", 0.0), ("yes", skill * label + drawn)))
        for label, drawn in zip(labels, noise, strict=True)
    ]


def test_samples_with_one_class_are_left_out_of_roc_auc() -> None:
    outcomes = memes(np.random.default_rng(0), 6, skill=1)
    found = interval(RocAuc(), outcomes)
    assert 0 <= found.low <= found.score <= found.high <= 100


def test_cider_is_no_share() -> None:
    assert interval(Cider(), [Outcome("a dog", ("a dog",))]).high == 0


def test_the_better_model_of_two_is_found() -> None:
    better = memes(np.random.default_rng(0), 200, skill=3)
    worse = memes(np.random.default_rng(0), 200, skill=0.5)
    found = paired_difference(RocAuc(), better, worse)
    assert 0 < found.low < found.difference < found.high
    assert found.p_value == pytest.approx(2 / 1001)
    back = paired_difference(RocAuc(), worse, better)
    assert (back.difference, back.low) == pytest.approx((-found.difference, -found.high))
    assert found.n == 200


def test_what_is_hard_for_both_cancels_out() -> None:
    rng = np.random.default_rng(0)
    first = halves(rng, 300)
    # The same queries, of which the second model answers ten worse.
    second = [
        Outcome("c", one.references) if number < 10 else one for number, one in enumerate(first)
    ]
    found = paired_difference(IvqaAccuracy(), first, second)
    alone = interval(IvqaAccuracy(), first)
    assert found.high - found.low < (alone.high - alone.low) / 2
    assert found.low > 0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_shares_have_the_interval_of_newcombe(pairs: list[tuple[bool, bool]]) -> None:
    first, second = (answered([pair[side] for pair in pairs]) for side in (0, 1))
    found = paired_difference(Accuracy(), first, second, num_samples=50)
    assert found.low <= found.difference + 1e-9
    assert found.difference <= found.high + 1e-9
    assert -100 <= found.low < found.high <= 100
    assert 0 < found.p_value <= 1


def test_a_worked_example_of_newcombe() -> None:
    first = [1.0] * 48 + [0.0] * 2
    second = [1.0] * 36 + [0.0] * 12 + [1.0] * 2
    assert newcombe_interval(first, second) == pytest.approx((0.0569, 0.3404), abs=5e-5)


def test_equal_models_differ_by_nothing() -> None:
    outcomes = halves(np.random.default_rng(0), 20)
    found = paired_difference(IvqaAccuracy(), outcomes, outcomes)
    assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)
    both_right = answered([True] * 8)
    found = paired_difference(Accuracy(), both_right, both_right)
    assert found.low < -20
    assert found.high > 20


def test_p_values_of_equal_models_are_spread_evenly() -> None:
    rng = np.random.default_rng(0)
    small = 0
    for number in range(100):
        pairs = rng.random((60, 2)) < 0.5
        first, second = (answered(pairs[:, side].tolist()) for side in (0, 1))
        found = paired_difference(Accuracy(), first, second, number, num_samples=100)
        small += found.p_value < 0.1
    assert 2 <= small <= 25


def test_errors() -> None:
    one = answered([True])
    with pytest.raises(DataError, match="no answers"):
        interval(Accuracy(), [])
    with pytest.raises(ConfigError, match="0 samples"):
        interval(Accuracy(), one, num_samples=0)
    with pytest.raises(DataError, match="answered 1 queries, and the second 2"):
        paired_difference(Accuracy(), one, one * 2)
    with pytest.raises(DataError, match="number 0 are of different queries"):
        paired_difference(Accuracy(), one, [Outcome("a", ("b",))])

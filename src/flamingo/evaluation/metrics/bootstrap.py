"""How sure a score is that was measured on so many queries, and a difference of two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flamingo.evaluation.cell import wilson_interval
from flamingo.evaluation.metrics.mean_of_each import MeanOfEach
from flamingo.evaluation.metrics.newcombe import newcombe_interval
from flamingo.evaluation.metrics.outcome import Metric, Outcome
from flamingo.evaluation.metrics.resampling import Floats, sample_scores
from flamingo.foundation.errors import ConfigError, DataError

NUM_SAMPLES = 1000


@dataclass(frozen=True)
class Interval:
    """A score with its 95 % interval, in points."""

    score: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """By how much one model is better than another on the same queries, in points.

    Attributes:
        difference: the first model's score less the second's.
        low: lower end of the 95 % interval.
        high: upper end.
        p_value: how often, of two equal models, chance alone makes such a difference; two-sided.
        n: number of queries.
    """

    difference: float
    low: float
    high: float
    p_value: float
    n: int


def interval(
    metric: Metric,
    outcomes: Sequence[Outcome],
    *key: int | str,
    num_samples: int = NUM_SAMPLES,
) -> Interval:
    """A metric over outcomes with its 95 % interval.

    Where every answer is right or wrong and the score is the share of the right ones, it is
    Wilson's, which stays honest at 0 and at 100. Else it is the percentiles of the bootstrap:
    queries are drawn with replacement and scored again. Samples without a score, such as those
    for ROC AUC that have one class only, are left out.

    The bootstrap knows no other queries than these: if all values are the same, such as 0.3, or
    there is one query, its interval has no width.

    Args:
        metric: how outcomes are scored.
        outcomes: of one model.
        key: changes the draw.
        num_samples: how many times as many queries are drawn again.

    Raises:
        ConfigError: `num_samples` is below 1.
        DataError: there is no outcome, or the metric cannot score them.
    """
    _check(len(outcomes), num_samples)
    each = metric.each(outcomes)
    score = metric.total(outcomes, each)
    if _is_share(metric, each, score):
        low, high = wilson_interval(sum(value == 1 for value in each), len(each))
        return Interval(score, 100 * low, 100 * high)
    return Interval(score, *_percentiles(sample_scores(metric, outcomes, each, key, num_samples)))


def paired_difference(
    metric: Metric,
    first: Sequence[Outcome],
    second: Sequence[Outcome],
    *key: int | str,
    num_samples: int = NUM_SAMPLES,
) -> Difference:
    """How much better the first model is than the second, on the same queries.

    Queries are drawn with the answers of both models, so what makes a query hard for both cancels
    out. The interval is the percentiles of the bootstrap; where every answer is right or wrong it
    is Newcombe's (1998, method 10), the counterpart of Wilson's for two models on the same
    queries. The p-value is twice the share of samples on the other side of no difference, never
    below 2 / (num_samples + 1).

    Args:
        metric: how outcomes are scored.
        first: of the first model.
        second: of the second model, in the same order of queries.
        key: changes the draw.
        num_samples: how many times as many queries are drawn again.

    Raises:
        ConfigError: `num_samples` is below 1.
        DataError: there is no outcome, the two are not of the same queries, or the metric cannot
            score them.
    """
    _check(len(first), num_samples)
    _check_same_queries(first, second)
    each, other = metric.each(first), metric.each(second)
    score, other_score = metric.total(first, each), metric.total(second, other)
    drawn = sample_scores(metric, first, each, key, num_samples)
    drawn = drawn - sample_scores(metric, second, other, key, num_samples)
    if _is_share(metric, each, score) and _is_share(metric, other, other_score):
        low, high = (100 * end for end in newcombe_interval(each, other))
    else:
        low, high = _percentiles(drawn)
    return Difference(score - other_score, low, high, _p_value(drawn), len(first))


def _is_share(metric: Metric, each: Sequence[float], score: float) -> bool:
    """Whether the score is the share of right answers; so it is where all are right, or none."""
    if isinstance(metric, MeanOfEach):
        return metric.is_bounded and set(each) <= {0.0, 1.0}
    return set(each) in ({0.0}, {1.0}) and score == 100 * each[0]


def _percentiles(drawn: Floats) -> tuple[float, float]:
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        raise DataError(
            "no sample of these outcomes has a score, so there is no interval.\n"
            "Evaluate more queries, or draw more samples."
        )
    low, high = np.percentile(known, (2.5, 97.5))
    return float(low), float(high)


def _p_value(drawn: Floats) -> float:
    known = drawn[~np.isnan(drawn)]
    # One more on either side, as no number of samples proves that chance never does it.
    tails = ((known <= 0).sum() + 1, (known >= 0).sum() + 1)
    return float(min(1.0, 2 * min(tails) / (len(known) + 1)))


def _check(num_outcomes: int, num_samples: int) -> None:
    if num_samples < 1:
        raise ConfigError(f"{num_samples} samples give no interval.\n1000 samples are usual.")
    if not num_outcomes:
        raise DataError("there are no answers to score.\nGive at least one outcome.")


def _check_same_queries(first: Sequence[Outcome], second: Sequence[Outcome]) -> None:
    if len(first) != len(second):
        raise DataError(
            f"the first model answered {len(first)} queries, and the second {len(second)}.\n"
            "Give those that both have answered, in the same order."
        )
    for number, (one, other) in enumerate(zip(first, second, strict=True)):
        if (one.references, one.details) != (other.references, other.details):
            raise DataError(
                f"the outcomes number {number} are of different queries: right is "
                f"{one.references!r} for the first model and {other.references!r} for the second.\n"
                "Put both into the same order of queries."
            )

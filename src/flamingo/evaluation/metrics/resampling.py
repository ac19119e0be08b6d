"""The scores of many samples of the same outcomes, drawn with replacement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from flamingo.evaluation.metrics.mean_of_each import MeanOfEach
from flamingo.evaluation.metrics.outcome import Metric, Outcome
from flamingo.foundation.randomness import generator

Picked = npt.NDArray[np.int64]
"""Numbers of outcomes, some more than once."""

Floats = npt.NDArray[np.float64]

_NUMBERS_AT_ONCE = 2**22


@runtime_checkable
class Resampled(Protocol):
    """A metric that scores many samples of the same outcomes faster than one by one."""

    def resampled(
        self, outcomes: Sequence[Outcome], each: Sequence[float]
    ) -> Callable[[Picked], float]:
        """What gives the total of outcomes picked by number; not a number where it has none."""


def sample_scores(
    metric: Metric,
    outcomes: Sequence[Outcome],
    each: Sequence[float],
    key: tuple[int | str, ...],
    num_samples: int,
) -> Floats:
    """The score of every sample; some are not a number where the metric is `Resampled`.

    For the same key, number of outcomes and metric the same are drawn, so the scores of two
    models on the same queries belong together.

    Args:
        metric: how outcomes are scored.
        outcomes: of one model.
        each: what `metric.each` gave for them.
        key: of the draw.
        num_samples: how many samples there are, all as large as the whole.
    """
    rng, n = generator("bootstrap", *key), len(outcomes)
    if isinstance(metric, MeanOfEach):
        values, parts = np.asarray(each, dtype=np.float64), []
        rows = max(1, _NUMBERS_AT_ONCE // n)
        for start in range(0, num_samples, rows):
            picked = rng.integers(n, size=(min(rows, num_samples - start), n))
            parts.append(100 * values[picked].mean(axis=1))
        return np.concatenate(parts)
    total = _total_of(metric, outcomes, each)
    return np.array([total(rng.integers(n, size=n)) for _ in range(num_samples)])


def _total_of(
    metric: Metric, outcomes: Sequence[Outcome], each: Sequence[float]
) -> Callable[[Picked], float]:
    if isinstance(metric, Resampled):
        return metric.resampled(outcomes, each)
    return lambda picked: metric.total([outcomes[i] for i in picked], [each[i] for i in picked])

"""The common case: a metric whose total is the mean of what the single answers are worth."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import ClassVar

from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.foundation.errors import DataError


class MeanOfEach:
    """Base of the metrics whose total is 100 times the mean of `each`.

    Intervals of such a metric need nothing but `each`, see `bootstrap`.

    Attributes:
        is_bounded: whether an answer is worth 0 to 1, so that all right is 100 points.
    """

    is_bounded: ClassVar[bool] = True

    def total(self, outcomes: Sequence[Outcome], each: Sequence[float]) -> float:
        """100 times the mean of `each`.

        Raises:
            DataError: there is no answer.
        """
        if not each:
            raise DataError("there are no answers to score.\nGive at least one outcome.")
        return 100 * fmean(each)


def answers_of(outcome: Outcome) -> tuple[str, ...]:
    """The right answers of an outcome.

    Raises:
        DataError: there are none.
    """
    if not outcome.references:
        raise DataError(
            f"an outcome has no references to compare {outcome.prediction!r} with.\n"
            "Parts of a benchmark whose answers are hidden are scored by its official server."
        )
    return outcome.references

"""STAR: the mean of the accuracies on its four types of questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flamingo.evaluation.metrics.accuracy import is_exactly_right
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.foundation.errors import DataError


@dataclass(frozen=True)
class MultipleChoiceByType:
    """The accuracy of each type of question, and of these the mean: every type counts alike.

    An outcome's detail `type` names its type. A prediction is the text of a choice.
    """

    @property
    def name(self) -> str:
        """What the number is called in tables."""
        return "mean accuracy over types"

    def each(self, outcomes: Sequence[Outcome]) -> list[float]:
        """1 for a right answer, 0 for a wrong one."""
        return [float(is_exactly_right(outcome)) for outcome in outcomes]

    def total(self, outcomes: Sequence[Outcome], each: Sequence[float]) -> float:
        """The mean over the types that occur, in percent.

        Raises:
            DataError: there is no answer, or one has no type.
        """
        if not outcomes:
            raise DataError("there are no answers to score.\nGive at least one outcome.")
        return self.resampled(outcomes, each)(np.arange(len(outcomes)))

    def resampled(
        self, outcomes: Sequence[Outcome], each: Sequence[float]
    ) -> Callable[[npt.NDArray[np.int64]], float]:
        """What gives the total of outcomes picked by number, see `bootstrap`."""
        _, types = np.unique([_type_of(outcome) for outcome in outcomes], return_inverse=True)
        values = np.asarray(each, dtype=np.float64)

        def total(picked: npt.NDArray[np.int64]) -> float:
            counts = np.bincount(types[picked])
            sums = np.bincount(types[picked], weights=values[picked])
            return 100 * float((sums[counts > 0] / counts[counts > 0]).mean())

        return total


def _type_of(outcome: Outcome) -> str:
    if "type" not in outcome.details:
        raise DataError(
            f"an outcome has no detail 'type', only {sorted(outcome.details)}.\n"
            "The mean over types of questions needs it; without types, use 'accuracy'."
        )
    return str(outcome.details["type"])

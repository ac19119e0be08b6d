"""iVQA: an answer is right if two of five people gave it, and half right if one did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flamingo.evaluation.metrics.mean_of_each import MeanOfEach, answers_of
from flamingo.evaluation.metrics.outcome import Outcome


def share_of_two(outcome: Outcome) -> float:
    """min(n / 2, 1), where n people gave the predicted answer.

    Raises:
        DataError: there are no references.
    """
    prediction = outcome.prediction.strip()
    count = sum(reference.strip() == prediction for reference in answers_of(outcome))
    return min(count / 2, 1.0)


@dataclass(frozen=True)
class IvqaAccuracy(MeanOfEach):
    """Accuracy on iVQA, as in the code of Just Ask, from which the benchmark comes.

    References are all that people answered, repetitions included. Answers are compared as they
    are written. The official code only ever predicts answers of its own vocabulary, those that
    occur twice in the training part; here any text may be right.
    """

    @property
    def name(self) -> str:
        """What the number is called in tables."""
        return "iVQA accuracy"

    def each(self, outcomes: Sequence[Outcome]) -> list[float]:
        """0, 0.5 or 1 by answer."""
        return [share_of_two(outcome) for outcome in outcomes]

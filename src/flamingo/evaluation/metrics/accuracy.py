"""How often the answer is exactly right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flamingo.evaluation.metrics.mean_of_each import MeanOfEach, answers_of
from flamingo.evaluation.metrics.outcome import Outcome


def is_exactly_right(outcome: Outcome, ignore_case: bool = False) -> bool:
    """Whether the answer is one of the references, but for space around it.

    Raises:
        DataError: there are no references.
    """
    texts = [text.strip() for text in (outcome.prediction, *answers_of(outcome))]
    prediction, *references = [text.casefold() for text in texts] if ignore_case else texts
    return prediction in references


@dataclass(frozen=True)
class Accuracy(MeanOfEach):
    """The share of exactly right answers: the metric of MSVDQA and MSRVTTQA.

    These benchmarks were made for classifiers over a vocabulary of answers, where an answer is
    looked up as it is written. All of theirs are lowercase, and so are the supports that a model
    imitates; `ignore_case` is for a model that writes "Cat" nevertheless.
    """

    ignore_case: bool = False

    @property
    def name(self) -> str:
        """What the number is called in tables."""
        return "accuracy (any case)" if self.ignore_case else "accuracy"

    def each(self, outcomes: Sequence[Outcome]) -> list[float]:
        """1 for a right answer, 0 for a wrong one."""
        return [float(is_exactly_right(outcome, self.ignore_case)) for outcome in outcomes]

"""HatefulMemes: how often a hateful meme gets a higher score than one that is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flamingo.evaluation.metrics.candidates import probabilities, scores_of
from flamingo.evaluation.metrics.mean_of_each import answers_of
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.foundation.errors import DataError


def roc_auc(
    scores: npt.NDArray[np.float64],
    is_positive: npt.NDArray[np.bool_],
    counts: npt.NDArray[np.float64] | None = None,
) -> float:
    """The share of pairs of a positive and a negative where the positive scores higher.

    A tie counts half, as in the area under the curve that is drawn through it. Not a number if
    one of the two classes is missing.

    Args:
        scores: of each example.
        is_positive: whether it belongs to the positive class.
        counts: how many times each example is there; once if none are given.
    """
    counts = np.ones(len(scores)) if counts is None else counts
    _, place = np.unique(scores, return_inverse=True)
    positives = np.bincount(place, weights=counts * is_positive)
    negatives = np.bincount(place, weights=counts * ~is_positive)
    pairs = positives.sum() * negatives.sum()
    if pairs == 0:
        return float("nan")
    below = np.cumsum(negatives) - negatives
    return float((positives * (below + negatives / 2)).sum() / pairs)


@dataclass(frozen=True)
class RocAuc:
    """Area under the ROC curve, where the score is the probability of the positive candidate.

    That is its share among all candidates, by the softmax of their log-likelihoods.

    Args:
        positive: the candidate that stands for the positive class.
    """

    positive: str = "yes"

    @property
    def name(self) -> str:
        """What the number is called in tables."""
        return "ROC AUC"

    def each(self, outcomes: Sequence[Outcome]) -> list[float]:
        """The probability of the right class: to look at, the total is not made of it."""
        scores, is_positive = self._scored(outcomes)
        return np.where(is_positive, scores, 1 - scores).tolist()

    def total(self, outcomes: Sequence[Outcome], each: Sequence[float]) -> float:
        """The area in percent: 50 is chance.

        Raises:
            DataError: a class is missing among the outcomes, or the positive candidate in one.
        """
        area = self.resampled(outcomes, each)(np.arange(len(outcomes)))
        if np.isnan(area):
            found = sorted({answer for outcome in outcomes for answer in outcome.references})
            raise DataError(
                f"ROC AUC compares outcomes with the answer {self.positive!r} with others, but "
                f"all {len(outcomes)} have {', '.join(map(repr, found))}.\nEvaluate more queries."
            )
        return area

    def resampled(
        self, outcomes: Sequence[Outcome], each: Sequence[float]
    ) -> Callable[[npt.NDArray[np.int64]], float]:
        """What gives the total of outcomes picked by number, see `bootstrap`."""
        del each
        scores, is_positive = self._scored(outcomes)

        def total(picked: npt.NDArray[np.int64]) -> float:
            counts = np.bincount(picked, minlength=len(scores)).astype(np.float64)
            return 100 * roc_auc(scores, is_positive, counts)

        return total

    def _scored(
        self, outcomes: Sequence[Outcome]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        scores = [self._score(outcome) for outcome in outcomes]
        is_positive = [self.positive in answers_of(outcome) for outcome in outcomes]
        return np.array(scores, dtype=np.float64), np.array(is_positive, dtype=np.bool_)

    def _score(self, outcome: Outcome) -> float:
        names = [candidate for candidate, _ in outcome.candidates]
        for answer in (self.positive, *answers_of(outcome)):
            if outcome.candidates and answer not in names:
                raise DataError(
                    f"{answer!r} is not among the candidates {', '.join(map(repr, names[:10]))}.\n"
                    "ROC AUC needs the positive class and the right answer there."
                )
        shares = probabilities(scores_of(outcome))
        return float(shares[names.index(self.positive)])

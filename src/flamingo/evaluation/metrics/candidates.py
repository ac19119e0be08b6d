"""Log-likelihoods of candidates as arrays, checked once for all metrics that rank them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from flamingo.evaluation.metrics.mean_of_each import answers_of
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.foundation.errors import DataError

Scores = npt.NDArray[np.float64]


def scores_of(outcome: Outcome) -> Scores:
    """Log-likelihoods of an outcome's candidates, in their order.

    Raises:
        DataError: it has no candidates, or a log-likelihood is not a number.
    """
    if not outcome.candidates:
        raise DataError(
            f"an outcome with the answer {outcome.prediction!r} has no candidates.\n"
            "This metric ranks candidates; evaluate the benchmark close-ended."
        )
    scores = np.array([score for _, score in outcome.candidates], dtype=np.float64)
    if np.isnan(scores).any():
        number = int(np.isnan(scores).argmax())
        raise DataError(
            f"the log-likelihood of the candidate {outcome.candidates[number][0]!r} is not a "
            "number.\nThe model is broken or was run in a too narrow number format."
        )
    return scores


def probabilities(scores: Scores) -> Scores:
    """What each candidate gets of the probability that all of them have: the softmax."""
    weights = np.exp(scores - scores.max())
    return np.asarray(weights / weights.sum())


def rank_of_right(outcome: Outcome) -> int:
    """Before how many wrong candidates the best right one fails to stand: 0 is the first place.

    Ties count against the model, so one that finds all candidates equally good is never right,
    whatever their order.

    Raises:
        DataError: no right answer is among the candidates.
    """
    scores, right = scores_of(outcome), answers_of(outcome)
    is_right = np.array([candidate in right for candidate, _ in outcome.candidates])
    if not is_right.any():
        raise DataError(
            f"none of the right answers {', '.join(map(repr, right))} is among the "
            f"{len(scores)} candidates.\nCandidates and answers must be written alike."
        )
    return int((scores[~is_right] >= scores[is_right].max()).sum())

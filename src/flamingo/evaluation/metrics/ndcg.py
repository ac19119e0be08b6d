"""VisDial: do the answers that people find relevant stand first?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flamingo.evaluation.metrics.candidates import Scores, scores_of
from flamingo.evaluation.metrics.mean_of_each import MeanOfEach
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.foundation.errors import DataError


def ndcg(scores: Scores, relevance: Scores) -> float:
    """Normalized discounted cumulative gain of a ranking, 0 to 1.

    It looks at the first k candidates, where k is how many are relevant at all, and compares
    them with the best that could stand there.

    Args:
        scores: of each candidate; the highest stands first, of equals the earlier one.
        relevance: of each candidate, at least 0, with some above 0.
    """
    k = int(np.count_nonzero(relevance))
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ranked = relevance[np.argsort(-scores, kind="stable")][:k]
    best = np.sort(relevance)[::-1][:k]
    return float((ranked * discounts).sum() / (best * discounts).sum())


@dataclass(frozen=True)
class Ndcg(MeanOfEach):
    """NDCG of VisDial, as in its starter code.

    An outcome's detail `relevance` holds a number per candidate, in their order.

    Where two candidates are equally likely, the starter code lets the sort decide, which differs
    between machines; here the one that comes first in the file stands first. scikit-learn instead
    takes the mean over all orders of such ties. Without ties all three are the same.
    """

    @property
    def name(self) -> str:
        """What the number is called in tables."""
        return "NDCG"

    def each(self, outcomes: Sequence[Outcome]) -> list[float]:
        """NDCG of every ranking, 0 to 1.

        Raises:
            DataError: candidates or their relevance are missing or do not fit together.
        """
        return [ndcg(scores_of(outcome), _relevance(outcome)) for outcome in outcomes]


def _relevance(outcome: Outcome) -> Scores:
    relevance = np.array(outcome.details.get("relevance", ()), dtype=np.float64)
    if relevance.shape != (len(outcome.candidates),):
        raise DataError(
            f"an outcome has {len(outcome.candidates)} candidates, and its detail 'relevance' "
            f"holds {relevance.size} numbers.\nNDCG needs one per candidate, in their order."
        )
    if not relevance.any() or (relevance < 0).any() or not np.isfinite(relevance).all():
        raise DataError(
            "NDCG has no value where no candidate is relevant, or one has a relevance below 0: "
            f"{sorted(set(relevance.tolist()))}.\nLeave such a query out, or mend its relevance."
        )
    return relevance

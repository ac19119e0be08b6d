"""How often the right class is among the k likeliest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from flamingo.evaluation.metrics.candidates import rank_of_right
from flamingo.evaluation.metrics.mean_of_each import MeanOfEach
from flamingo.evaluation.metrics.outcome import Outcome


@dataclass(frozen=True)
class TopK(MeanOfEach):
    """The share of queries whose right class is among the first k; the mean over several k.

    ImageNet has k = 1; Kinetics the mean of k = 1 and k = 5. A class that fits as well as the
    right one stands before it. Classes with the same name are one class.

    Args:
        ks: the places that count.

    Paper: Table 6 (ImageNet by top-1, Kinetics by the average of top-1 and top-5).
    """

    ks: tuple[int, ...] = (1,)

    @property
    def name(self) -> str:
        """What the number is called in tables."""
        if len(self.ks) == 1:
            return f"top-{self.ks[0]}"
        return f"mean of {' and '.join(f'top-{k}' for k in self.ks)}"

    def each(self, outcomes: Sequence[Outcome]) -> list[float]:
        """The share of `ks` within which the right class stands."""
        ranks = [rank_of_right(outcome) for outcome in outcomes]
        return [fmean(float(rank < k) for k in self.ks) for rank in ranks]

"""What a metric sees of an answered query, and what a metric is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True)
class Outcome:
    """A model's answer to one query, beside what is right.

    Attributes:
        prediction: the answer; of a close-ended query the likeliest candidate.
        references: the right answers, in the order of the official file; several where people
            were asked several times.
        candidates: log-likelihood of each candidate, in the benchmark's order; none if it is open.
        details: what only some benchmarks have, such as the type of a question or the relevance
            of each candidate; plain JSON values.
    """

    prediction: str
    references: tuple[str, ...]
    candidates: tuple[tuple[str, float], ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Metric(Protocol):
    """From outcomes to a number, in two steps, so that the single answers can be told apart."""

    @property
    def name(self) -> str:
        """What the number is called in tables, such as "CIDEr"."""

    def each(self, outcomes: Sequence[Outcome]) -> list[float]:
        """What every single answer is worth: more is better, in the metric's own unit.

        All outcomes of a cell come at once: what an answer is worth may hang on the others.
        """

    def total(self, outcomes: Sequence[Outcome], each: Sequence[float]) -> float:
        """The metric over these outcomes, in points of 0 to 100 (CIDEr: times 100, no bound).

        Args:
            outcomes: those of a cell, or a bootstrap sample of them with repetitions.
            each: what `each` gave for the whole cell, picked and ordered as `outcomes`.
        """

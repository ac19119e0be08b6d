"""One answer of a model, with all that it was asked: a line of predictions.jsonl."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flamingo.evaluation.metrics.outcome import Outcome

LEFT_OUT = "left_out"
"""The detail of a prediction that is none: why its query could not be asked."""

Place = tuple[str, int, str, int]
"""Task, shots, control and index: what names a prediction."""


@dataclass(frozen=True)
class Prediction:
    """One answer of the model beside the right ones.

    Attributes:
        task: name of the task.
        shots: supports in the prompt.
        control: what was taken away from the episode, see `controls`.
        index: the query's number; the same query at every number of shots.
        query: the query's name in its benchmark; "" where it has none.
        prediction: the model's answer.
        references: the right answers; none where they are hidden.
        score: log-likelihood of the answer.
        candidates: log-likelihood of each candidate, in the task's order; none if it is open.
        supports: the supports' names in their benchmark, in the order of the prompt.
        labels: the supports' answers, in the order of the prompt.
        prompt: the text as the model reads it, a tag where a visual stands.
        details: what only some benchmarks have, see `Outcome`.
    """

    task: str
    shots: int
    control: str
    index: int
    prediction: str
    references: tuple[str, ...]
    score: float
    candidates: tuple[tuple[str, float], ...]
    labels: tuple[str, ...]
    prompt: str
    query: str = ""
    supports: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_damaged(cls, place: Place, reason: str) -> Prediction:
        """Stands for a query that could not be asked, so that nobody asks it again."""
        task, shots, control, index = place
        return cls(
            task=task,
            shots=shots,
            control=control,
            index=index,
            prediction="",
            references=(),
            score=0.0,
            candidates=(),
            labels=(),
            prompt="",
            details={LEFT_OUT: reason},
        )

    @property
    def place(self) -> Place:
        """What names it in its evaluation."""
        return self.task, self.shots, self.control, self.index

    @property
    def is_right(self) -> bool:
        """Whether the answer is one of the right ones, letter for letter."""
        return self.prediction in self.references

    @property
    def outcome(self) -> Outcome:
        """What a metric sees of it."""
        return Outcome(self.prediction, self.references, self.candidates, self.details)

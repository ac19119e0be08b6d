"""The answers of an evaluation without their prompts: all that scores and tables are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.evaluation.prediction import LEFT_OUT, Place
from flamingo.evaluation.prediction_files import (
    as_prediction,
    plain_predictions,
    prediction_files,
)


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer.

    Attributes:
        place: names it: task, shots, control and index.
        query: the query's name in its benchmark; its number where it has none.
        outcome: what a metric sees of it.
    """

    place: Place
    query: str
    outcome: Outcome

    @property
    def shots(self) -> int:
        """Supports in the prompt."""
        return self.place[1]

    @property
    def control(self) -> str:
        """What was taken away from the episode."""
        return self.place[2]

    @property
    def index(self) -> int:
        """The query's number."""
        return self.place[3]

    @property
    def is_right(self) -> bool:
        """Whether the answer is one of the right ones, letter for letter."""
        return self.outcome.prediction in self.outcome.references


def read_answers(folder: Path) -> Iterator[Answered]:
    """Every answer of an evaluation; queries that could not be asked are left out.

    There may be millions, with long prompts: only what is needed of each is kept.

    Raises:
        DataError: a line is no prediction.
    """
    names: dict[str, str] = {}
    for path in prediction_files(folder):
        for number, plain in plain_predictions(path):
            try:
                one = _answered(plain, names)
            except (KeyError, TypeError, ValueError, AttributeError):
                # Tells what is wrong with the line.
                as_prediction(plain, path, number)
                raise
            if LEFT_OUT not in one.outcome.details:
                yield one


def place_of(plain: Any) -> Place:
    """What names the prediction of a line.

    Raises:
        KeyError: the line lacks it.
        TypeError: the line is no mapping.
    """
    return plain["task"], plain["shots"], plain["control"], plain["index"]


def _answered(plain: Any, names: dict[str, str]) -> Answered:
    """A line's content without its prompt; texts that come again in other lines are kept once."""
    outcome = Outcome(
        plain["prediction"],
        tuple(plain["references"]),
        tuple((names.setdefault(name, name), score) for name, score in plain["candidates"]),
        plain.get("details", {}),
    )
    return Answered(place_of(plain), plain.get("query") or str(plain["index"]), outcome)

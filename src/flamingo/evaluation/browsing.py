"""From the answers of an evaluation to the records of a page to leaf through."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flamingo.evaluation.answered import Answered
from flamingo.evaluation.browser import Record
from flamingo.evaluation.controls import NONE
from flamingo.evaluation.metrics.registry import metric_named
from flamingo.evaluation.prediction import Place, Prediction
from flamingo.evaluation.thumbnails import thumbnails
from flamingo.foundation.errors import FlamingoError
from flamingo.sequence import Visual

VisualsOf = Callable[[str, int, str], Sequence[Visual]]
"""Task, index and name of a query give what it shows; nothing where that is not at hand."""

HIDDEN = "their right answers are not known"


@dataclass(frozen=True)
class Values:
    """What answers to one task are worth.

    Attributes:
        by_place: of each answer; NaN where it has no score.
        why_not: why some have none; "" if all have one.
    """

    by_place: Mapping[Place, float]
    why_not: str = ""

    @property
    def num_unscored(self) -> int:
        """How many answers have no score."""
        return sum(map(math.isnan, self.by_place.values()))


@dataclass(frozen=True)
class Selected:
    """Those answers to one task that a page shows.

    Attributes:
        values: of the shown ones.
        num_left_out: queries that are not shown.
        num_unscored: answers that have no score, shown or not.
        why_not: why they have none.
    """

    values: Mapping[Place, float]
    num_left_out: int
    num_unscored: int = 0
    why_not: str = ""


def select(answers: Sequence[Answered], metric: str, *, most: int = 200) -> Selected:
    """The answers to the queries that were answered worst, at all numbers of shots.

    Args:
        answers: all answers to one task.
        metric: name of the one that scores it.
        most: queries at most; a page of more would be slow to open.
    """
    found = values_of(answers, metric)
    ordered = _worst_first(found.by_place)
    shown = set(ordered[:most])
    return Selected(
        values={place: value for place, value in found.by_place.items() if place[3] in shown},
        num_left_out=len(ordered) - len(shown),
        num_unscored=found.num_unscored,
        why_not=found.why_not,
    )


def values_of(answers: Sequence[Answered], metric: str) -> Values:
    """What each answer is worth, in a cell of its own number of shots and control.

    An answer has no score where the right one is hidden. A metric that needs no right answers
    scores all: that of RareAct is about clips that do not show the action, too.

    Args:
        answers: to one task.
        metric: name of the one that scores it.
    """
    cells: dict[tuple[int, str], list[Answered]] = {}
    for one in answers:
        cells.setdefault((one.shots, one.control), []).append(one)
    by_place: dict[Place, float] = {}
    why_not = ""
    for own in cells.values():
        worth, why = _worth(own, metric)
        by_place.update({one.place: value for one, value in zip(own, worth, strict=True)})
        why_not = why_not or why
    return Values(by_place, why_not)


def values_by_query(answers: Sequence[Answered], metric: str, shots: int) -> dict[str, float]:
    """What the answers of one cell are worth, by the query's name; those without a score are not.

    Args:
        answers: to one task.
        metric: name of the one that scores it.
        shots: of the cell, which is without a control.
    """
    own = [one for one in answers if (one.shots, one.control) == (shots, NONE)]
    worth, _ = _worth(own, metric)
    return {
        one.query: value for one, value in zip(own, worth, strict=True) if not math.isnan(value)
    }


def records_of(
    values: Mapping[Place, float], predictions: Mapping[Place, Prediction]
) -> list[Record]:
    """The records of a page.

    Args:
        values: what the answers that are shown are worth.
        predictions: the same answers.
    """
    return [_record(predictions[place], value) for place, value in values.items()]


def pictures_of(
    predictions: Mapping[Place, Prediction], visuals_of: VisualsOf
) -> Callable[[Record], tuple[str, ...]]:
    """What gives the pictures of a record's query, for `browser_page`.

    Args:
        predictions: those that are shown.
        visuals_of: finds what a query shows.
    """
    asked = {(one.task, _name(one)): one for one in predictions.values()}

    def pictures(record: Record) -> tuple[str, ...]:
        one = asked[record.task, record.query]
        return thumbnails(visuals_of(one.task, one.index, one.query))

    return pictures


def _worth(own: Sequence[Answered], metric: str) -> tuple[list[float], str]:
    """What the answers of a cell are worth, and why some have no score; "" if all have one."""
    why = ""
    # If not all can be scored together, then perhaps those of which something right is known.
    for known in (range(len(own)), [n for n, one in enumerate(own) if one.outcome.references]):
        values = [math.nan] * len(own)
        try:
            found = metric_named(metric).each([own[place].outcome for place in known])
        except FlamingoError as error:
            why = str(error).partition("\n")[0].rstrip(".")
            continue
        for place, value in zip(known, found, strict=True):
            values[place] = value
        break
    unscored = [one for one, value in zip(own, values, strict=True) if math.isnan(value)]
    if any(not one.outcome.references for one in unscored):
        return values, HIDDEN
    return values, why if unscored else ""


def _worst_first(values: Mapping[Place, float]) -> list[int]:
    """The queries by the mean of what was answered to them, rising; last those without a score."""
    by_query: dict[int, list[float]] = {}
    for place, value in values.items():
        by_query.setdefault(place[3], []).append(value)

    def rank(index: int) -> tuple[bool, float, int]:
        scored = [value for value in by_query[index] if not math.isnan(value)]
        return not scored, sum(scored) / len(scored) if scored else 0.0, index

    return sorted(by_query, key=rank)


def _name(one: Prediction) -> str:
    return one.query or f"number {one.index}"


def _record(one: Prediction, value: float) -> Record:
    return Record(
        task=one.task,
        shots=one.shots,
        control=one.control,
        query=_name(one),
        prompt=one.prompt,
        supports=one.supports,
        prediction=one.prediction,
        references=one.references,
        value=value,
        candidates=one.candidates,
    )

"""From the folder of an evaluation to the records of a page to leaf through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flamingo.evaluation.browser import Record
from flamingo.evaluation.controls import NONE
from flamingo.evaluation.folder import Evaluation
from flamingo.evaluation.metrics.registry import metric_named
from flamingo.evaluation.prediction import Prediction
from flamingo.evaluation.thumbnails import thumbnails
from flamingo.sequence import Visual

VisualsOf = Callable[[str, int, str], Sequence[Visual]]
"""Task, index and name of a query give what it shows; nothing where that is not at hand."""


@dataclass(frozen=True)
class Browsable:
    """What the page shows.

    Args:
        records: of the queries that are shown, at all numbers of shots.
        num_left_out: queries that are not shown.
        pictures: of a record's query, for `browser_page`.
    """

    records: tuple[Record, ...]
    num_left_out: int
    pictures: Callable[[Record], tuple[str, ...]]


def browsable(evaluation: Evaluation, visuals_of: VisualsOf, *, most: int = 200) -> Browsable:
    """The records of an evaluation; of each task the queries with the worst answers.

    Args:
        evaluation: read from its folder.
        visuals_of: finds what a query shows.
        most: queries of a task at most; a page of more would be slow to open.
    """
    records: list[Record] = []
    num_left_out = 0
    indices: dict[tuple[str, str], int] = {}
    for task in evaluation.tasks:
        own = [one for one in evaluation.predictions_of(task) if one.references]
        values = _values(own, evaluation.metric_of(task))
        worst = _worst(own, values)
        shown = set(worst[:most])
        num_left_out += len(worst) - len(shown)
        for one, value in zip(own, values, strict=True):
            if one.index in shown:
                record = _record(one, value)
                indices[task, record.query] = one.index
                records.append(record)

    def pictures(record: Record) -> tuple[str, ...]:
        index = indices[record.task, record.query]
        return thumbnails(visuals_of(record.task, index, record.query))

    return Browsable(tuple(records), num_left_out, pictures)


def values_of(evaluation: Evaluation, task: str, shots: int) -> dict[str, float]:
    """What the answer to each query of a cell is worth, by the query's name; without controls."""
    own = [
        one
        for one in evaluation.predictions_of(task)
        if (one.shots, one.control) == (shots, NONE) and one.references
    ]
    values = metric_named(evaluation.metric_of(task)).each([one.outcome for one in own])
    return {one.query or str(one.index): v for one, v in zip(own, values, strict=True)}


def _values(predictions: Sequence[Prediction], metric: str) -> list[float]:
    """What each answer is worth, in a cell of its own number of shots and control."""
    cells: dict[tuple[int, str], list[int]] = {}
    for place, one in enumerate(predictions):
        cells.setdefault((one.shots, one.control), []).append(place)
    values = [0.0] * len(predictions)
    for places in cells.values():
        found = metric_named(metric).each([predictions[place].outcome for place in places])
        for place, value in zip(places, found, strict=True):
            values[place] = value
    return values


def _worst(predictions: Sequence[Prediction], values: Sequence[float]) -> list[int]:
    """The queries by the mean of what was answered to them, rising."""
    by_query: dict[int, list[float]] = {}
    for one, value in zip(predictions, values, strict=True):
        by_query.setdefault(one.index, []).append(value)
    return sorted(by_query, key=lambda index: (sum(by_query[index]) / len(by_query[index]), index))


def _record(one: Prediction, value: float) -> Record:
    return Record(
        task=one.task,
        shots=one.shots,
        control=one.control,
        query=one.query or f"number {one.index}",
        prompt=one.prompt,
        supports=one.supports,
        prediction=one.prediction,
        references=one.references,
        value=value,
        candidates=one.candidates,
    )

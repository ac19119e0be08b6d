"""From answers to cells, and from cells to what they say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from flamingo.evaluation.cell import Cell, above_chance
from flamingo.evaluation.metrics.bootstrap import interval
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.evaluation.metrics.registry import metric_named
from flamingo.evaluation.prediction import LEFT_OUT, Place
from flamingo.evaluation.sweep import Sweep
from flamingo.evaluation.task import Task
from flamingo.foundation.errors import DataError


@dataclass(frozen=True)
class Mean:
    """The mean of `above_chance` over tasks, at one number of shots.

    Attributes:
        control: see `controls`.
        shots: supports in the prompt.
        dev: over the development tasks; None if there is none.
        held_out: over the held-out tasks; None if there is none.
    """

    control: str
    shots: int
    dev: float | None
    held_out: float | None


CellKey = tuple[str, int, str]
"""Task, shots and control."""


def complete_cells(
    sweep: Sweep,
    tasks: Mapping[str, Task[Any]],
    outcomes: Mapping[Place, Outcome],
    known: dict[CellKey, Cell] | None = None,
    unscored: dict[CellKey, str] | None = None,
) -> list[Cell]:
    """The cells of which every query was answered, in the order of the sweep.

    There is none where the right answers are hidden, or where there are too few for a score.

    Args:
        sweep: what is asked.
        tasks: by name.
        outcomes: of the queries that were answered.
        known: cells from an earlier look at the same sweep, which are not scored again; new ones
            are added.
        unscored: gets the reason why a cell has no score, though all was answered.
    """
    known = {} if known is None else known
    keys = [(name, *cell) for name in sweep.tasks for cell in sweep.cells(name)]
    for key in keys:
        places = [(*key, index) for index in sweep.indices(key[0])]
        is_complete = tasks[key[0]].is_scored and all(place in outcomes for place in places)
        if key in known or not is_complete:
            continue
        own = [outcomes[place] for place in places]
        try:
            known[key] = scored(
                tasks[key[0]], key, [one for one in own if LEFT_OUT not in one.details]
            )
        except DataError as error:
            # Such as ROC AUC of queries that all have one answer; nothing else is lost for it.
            if unscored is not None:
                unscored[key] = str(error)
    return [known[key] for key in keys if key in known]


def scored(task: Task[Any], key: CellKey, outcomes: Sequence[Outcome]) -> Cell:
    """The cell of these answers.

    Raises:
        DataError: they are too few, or too much alike, for the metric.
    """
    name, shots, control = key
    metric = metric_named(task.metric)
    found = interval(metric, outcomes, name)
    chance = task.chance_at(shots)
    return Cell(
        task=name,
        held_out=task.is_held_out,
        shots=shots,
        control=control,
        metric=metric.name,
        score=found.score,
        low=found.low,
        high=found.high,
        n=len(outcomes),
        chance=None if chance is None else 100 * chance,
        above_chance=None if chance is None else above_chance(found.score, 100 * chance),
    )


def means(cells: Sequence[Cell]) -> list[Mean]:
    """The means of all numbers of shots and controls that there are."""
    keys = dict.fromkeys((cell.control, cell.shots) for cell in cells)
    found = []
    for control, shots in keys:
        here = [cell for cell in cells if (cell.control, cell.shots) == (control, shots)]
        values = [(cell.held_out, cell.above_chance) for cell in here]
        dev = [value for is_held_out, value in values if value is not None and not is_held_out]
        held_out = [value for is_held_out, value in values if value is not None and is_held_out]
        found.append(
            Mean(control, shots, fmean(dev) if dev else None, fmean(held_out) if held_out else None)
        )
    return found

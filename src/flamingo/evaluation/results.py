"""From answers to cells, and from cells to what they say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from flamingo.evaluation.cell import Cell
from flamingo.evaluation.controls import NONE
from flamingo.evaluation.sweep import Place, Sweep
from flamingo.evaluation.task import Task


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


def complete_cells(
    sweep: Sweep, tasks: Mapping[str, Task[Any]], is_right: Mapping[Place, bool]
) -> list[Cell]:
    """The cells of which every query was answered, in the order of the sweep."""
    cells = []
    for name in sweep.tasks:
        for shots, control in sweep.cells():
            places = [(name, shots, control, index) for index in range(sweep.num_queries)]
            if all(place in is_right for place in places):
                cell = Cell.of(
                    name,
                    held_out=tasks[name].is_held_out,
                    shots=shots,
                    control=control,
                    metric="accuracy",
                    right=sum(is_right[place] for place in places),
                    n=len(places),
                    chance=tasks[name].chance_at(shots),
                )
                cells.append(cell)
    return cells


def means(cells: Sequence[Cell]) -> list[Mean]:
    """The means of all numbers of shots and controls that there are."""
    keys = dict.fromkeys((cell.control, cell.shots) for cell in cells)
    found = []
    for control, shots in keys:
        here = [cell for cell in cells if (cell.control, cell.shots) == (control, shots)]
        dev = [cell.above_chance for cell in here if not cell.held_out]
        held_out = [cell.above_chance for cell in here if cell.held_out]
        found.append(
            Mean(control, shots, fmean(dev) if dev else None, fmean(held_out) if held_out else None)
        )
    return found


def worse_with_more(cells: Sequence[Cell], fewer: int = 16, more: int = 32) -> list[str]:
    """Tasks that lose from `fewer` to `more` shots by more than half the interval at `more`.

    Training saw at most 5 visuals; this tells where a model does not carry over to more.
    """
    score = {(cell.task, cell.shots): cell for cell in cells if cell.control == NONE}
    worse = []
    for task in dict.fromkeys(cell.task for cell in cells):
        before, after = score.get((task, fewer)), score.get((task, more))
        if before and after and before.score - after.score > after.half_interval:
            worse.append(task)
    return worse

"""Where a model gets worse with more shots, as it may beyond the number it was trained with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flamingo.evaluation.cell import Cell
from flamingo.evaluation.controls import NONE
from flamingo.evaluation.text_table import markdown_rows


@dataclass(frozen=True)
class Fall:
    """A number of shots at which a task is worse than it was with fewer.

    Attributes:
        task: its name.
        peak: the number of shots, below `shots`, that had the best score.
        shots: the number of shots at which it is worse.
        lost: by how many points.
        half_interval: half the 95 % interval at `shots`; `lost` is more than that.
    """

    task: str
    peak: int
    shots: int
    lost: float
    half_interval: float


def falls(cells: Sequence[Cell]) -> dict[str, list[Fall]]:
    """By task all numbers of shots that are worse than the best score with fewer shots.

    A fall counts if it is wider than half the interval of the lower score. The best of several
    scores is a little too high by chance, and so is the number of falls.

    Args:
        cells: of one evaluation; those under a control are left out. Tasks without a fall have an
            empty list.

    Paper: limitations (prompts longer than the sequences of training).
    """
    scores = _curves(cells)
    return {task: _falls(curve) for task, curve in scores.items()}


def _curves(cells: Sequence[Cell]) -> dict[str, list[Cell]]:
    """By task its cells at rising numbers of shots."""
    curves: dict[str, list[Cell]] = {}
    for cell in sorted(cells, key=lambda cell: cell.shots):
        if cell.control == NONE:
            curves.setdefault(cell.task, []).append(cell)
    order = list(dict.fromkeys(cell.task for cell in cells))
    return {task: curves[task] for task in order if task in curves}


def _falls(curve: Sequence[Cell]) -> list[Fall]:
    peak, found = curve[0], []
    for cell in curve[1:]:
        lost = peak.score - cell.score
        if lost > cell.half_interval:
            found.append(Fall(cell.task, peak.shots, cell.shots, lost, cell.half_interval))
        if cell.score > peak.score:
            peak = cell
    return found


def beyond_rows(cells: Sequence[Cell], trained_shots: int) -> list[list[str]]:
    """Header, and a row per task: best within training and beyond, and where it falls.

    Args:
        cells: of one evaluation; those under a control are left out.
        trained_shots: the largest number of shots that fits a sequence of training; a task that
            was only asked with more has no score there.
    """
    header = [
        "task",
        "falls at",
        f"best up to {trained_shots} shots",
        f"best beyond {trained_shots} shots",
        "most shots",
    ]
    rows = []
    found = falls(cells)
    for task, curve in _curves(cells).items():
        within = [cell for cell in curve if cell.shots <= trained_shots]
        beyond = [cell for cell in curve if cell.shots > trained_shots]
        drops = ", ".join(f"{fall.shots} (-{fall.lost:.1f})" for fall in found[task])
        rows.append([task, drops or "nowhere", _best(within), _best(beyond), _text(curve[-1])])
    return [header, *rows]


def beyond_notes(cells: Sequence[Cell], trained_shots: int) -> list[str]:
    """What a reader of the table must know."""
    found = falls(cells)
    first = {task: own[0] for task, own in found.items() if own}
    beyond = [task for task, fall in first.items() if fall.shots > trained_shots]
    within = [task for task, fall in first.items() if fall.shots <= trained_shots]
    return [
        "Falls are numbers of shots with a score below the best one with fewer shots, by more than "
        "half of its 95 % interval; in brackets by how many points.",
        f"Of {len(found)} tasks {len(beyond)} fall only beyond the {trained_shots} shots of "
        f"training{_listed(beyond)}, and {len(within)} before{_listed(within)}.",
    ]


def fall_note(found: Mapping[str, Sequence[Fall]]) -> str:
    """One line on the tasks that fall, for the table of an evaluation; "" if none does."""
    told = [
        f"{task} at {', '.join(str(fall.shots) for fall in own)} (best at {own[0].peak})"
        for task, own in found.items()
        if own
    ]
    return f"Worse with more shots, by more than that: {'; '.join(told)}." if told else ""


def beyond_markdown(cells: Sequence[Cell], trained_shots: int) -> str:
    """The table for a document, with its notes."""
    table = markdown_rows(beyond_rows(cells, trained_shots), num_left=2)
    return "\n".join([table, "\n\n".join(beyond_notes(cells, trained_shots))]) + "\n"


def _best(cells: Sequence[Cell]) -> str:
    return _text(max(cells, key=lambda cell: cell.score)) if cells else ""


def _text(cell: Cell) -> str:
    return f"{cell.score:.1f} ±{cell.half_interval:.1f} ({cell.shots})"


def _listed(tasks: Sequence[str]) -> str:
    return f" ({', '.join(tasks)})" if tasks else ""

"""Our scores beside those that the paper printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flamingo.evaluation.benchmarks.paper_scores import MODELS
from flamingo.evaluation.cell import Cell
from flamingo.evaluation.controls import NONE
from flamingo.evaluation.text_table import markdown_rows
from flamingo.foundation.errors import ConfigError, nearest

Printed = Mapping[str, Mapping[str, Mapping[int, float]]]
"""Benchmark, model and number of shots give a score in points."""


def paper_rows(cells: Sequence[Cell], paper: Printed, model: str) -> list[list[str]]:
    """Header, and a row per cell for which the paper has a number.

    Args:
        cells: of one evaluation; those under a control are left out.
        paper: the paper's own numbers.
        model: which of its models, such as "3B".

    Raises:
        ConfigError: the paper's numbers have no such model.
    """
    _check(paper, model)
    rows = []
    for cell, printed in _pairs(cells, paper, model):
        if printed is None:
            continue
        is_inside = cell.low <= printed <= cell.high
        rows.append(
            [
                cell.task,
                "held out" if cell.held_out else "dev",
                "yes" if is_inside else "no",
                str(cell.shots),
                f"{cell.score:.1f} ±{cell.half_interval:.1f}",
                f"{printed:.1f}",
                f"{cell.score - printed:+.1f}",
            ]
        )
    header = ["task", "", "within our interval", "shots", "ours", f"paper {model}", "difference"]
    return [header, *rows]


def paper_notes(cells: Sequence[Cell], paper: Printed, model: str) -> list[str]:
    """What a reader of the table must know.

    Raises:
        ConfigError: the paper's numbers have no such model.
    """
    _check(paper, model)
    lacking = "The paper prints no" if model in MODELS else "Printed numbers are shown without"
    notes = [
        f"In points; ± is half of our 95 % interval. {lacking} intervals, so that a number "
        "outside of ours may still be one draw of the same model."
    ]
    without: dict[str, list[str]] = {}
    for cell, printed in _pairs(cells, paper, model):
        if printed is None:
            without.setdefault(cell.task, []).append(str(cell.shots))
    if without:
        listed = "; ".join(f"{task} at {', '.join(n)} shots" for task, n in without.items())
        notes.append(f"The paper has no number of {model} for {listed}.")
    return notes


def paper_markdown(
    cells: Sequence[Cell], paper: Printed, model: str, conditions: Sequence[str] = ()
) -> str:
    """The table for a document, with its notes.

    Args:
        cells: of one evaluation; those under a control are left out.
        paper: the paper's own numbers.
        model: which of its models, such as "3B".
        conditions: further notes: under which ours came about, where the paper's are others.

    Raises:
        ConfigError: the paper's numbers have no such model.
    """
    table = markdown_rows(paper_rows(cells, paper, model), num_left=3)
    notes = [*paper_notes(cells, paper, model), *conditions]
    return "\n".join([table, "\n\n".join(notes)]) + "\n"


def _pairs(cells: Sequence[Cell], paper: Printed, model: str) -> list[tuple[Cell, float | None]]:
    """Each cell with the paper's number, in the order of the tasks and then of the shots."""
    tasks = list(dict.fromkeys(cell.task for cell in cells))
    ours = sorted(
        (cell for cell in cells if cell.control == NONE),
        key=lambda cell: (tasks.index(cell.task), cell.shots),
    )
    return [(c, paper.get(c.task, {}).get(model, {}).get(c.shots)) for c in ours]


def _check(paper: Printed, model: str) -> None:
    known = {name for models in paper.values() for name in models}
    if model not in known:
        raise ConfigError(f"The paper's numbers have no model {model!r}. {nearest(model, known)}")

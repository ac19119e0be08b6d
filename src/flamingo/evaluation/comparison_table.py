"""Several models in one table, as the paper's Table 1, and what lies between two of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean

from flamingo.evaluation.cell import Cell
from flamingo.evaluation.comparison import (
    FEWEST_QUERIES,
    CellDifference,
    Differences,
    Evaluated,
)
from flamingo.evaluation.controls import NONE
from flamingo.evaluation.results import CellKey
from flamingo.evaluation.text_table import markdown_rows
from flamingo.foundation.errors import ConfigError

_DEV, _HELD_OUT = "dev", "held out"
Scores = Mapping[tuple[str, int], Mapping[str, Cell]]
"""By model and number of shots the cell of each task."""


def comparison_rows(
    models: Sequence[Evaluated], control: str = NONE, *, is_markdown: bool = False
) -> list[list[str]]:
    """Header, and a row per model and number of shots; the best of each column stands out.

    Development tasks come first; held out is what no model had for development. The means at one
    number of shots are over those tasks that all models have which were asked at that number.

    Args:
        models: in the order of the rows.
        control: the cells of this control are shown.
        is_markdown: the best stand in bold, instead of having a star.

    Raises:
        ConfigError: two models have one name.

    Paper: Table 1.
    """
    scores = _scores(models, control)
    kinds = _kinds(scores)
    columns = [[_score(row.get(task)) for row in scores.values()] for task in kinds]
    header = [f"{task} ({kind})" for task, kind in kinds.items()]
    groups = {f"mean {kind}": {kind} for kind in dict.fromkeys(kinds.values())}
    if len(groups) > 1:
        groups["mean"] = {_DEV, _HELD_OUT}
    for name, group in groups.items():
        columns.append([_mean(scores, key, kinds, group) for key in scores])
        header.append(name)
    texts = [_marked(column, "**{}**" if is_markdown else "{}*") for column in columns]
    rows = [
        [model, str(shots), *(column[place] for column in texts)]
        for place, (model, shots) in enumerate(scores)
    ]
    return [["model", "shots", *header], *rows]


def comparison_notes(models: Sequence[Evaluated], control: str = NONE) -> list[str]:
    """What a reader of the table must know."""
    scores = _scores(models, control)
    kinds = _kinds(scores)
    metrics: dict[str, list[str]] = {}
    for row in scores.values():
        for task, cell in row.items():
            if task not in metrics.setdefault(cell.metric, []):
                metrics[cell.metric].append(task)
    notes = [
        "Scores in points: "
        + "; ".join(f"{metric} of {', '.join(tasks)}" for metric, tasks in metrics.items())
        + "."
    ]
    bases: dict[tuple[str, ...], list[str]] = {}
    for shots in sorted({shots for _, shots in scores}):
        common = _common(scores, shots)
        bases.setdefault(tuple(task for task in kinds if task in common), []).append(str(shots))
    if list(bases) != [tuple(kinds)]:
        listed = "; ".join(
            f"at {', '.join(numbers)} shots {', '.join(tasks) or 'none'}"
            for tasks, numbers in bases.items()
        )
        notes.append(f"Means are over the tasks that all models have: {listed}.")
    return notes


def difference_rows(differences: Differences) -> list[list[str]]:
    """Header, and a row per cell of two models, with the better model where that is decided."""
    first, second = differences.first, differences.second
    header = ["task", "control", "better", "shots", first, second]
    rows = [
        [
            one.task,
            "" if one.control == NONE else one.control,
            _better(one, differences),
            str(one.shots),
            f"{one.first:.1f}",
            f"{one.second:.1f}",
            f"{one.difference:+.1f}",
            f"{one.low:+.1f} to {one.high:+.1f}",
            "<0.01" if one.p_value < 0.01 else f"{one.p_value:.2f}",
            str(one.num_queries),
        ]
        for one in differences.found
    ]
    return [[*header, f"{first} - {second}", "95 % interval", "p", "queries"], *rows]


def difference_notes(differences: Differences) -> list[str]:
    """What a reader of the differences must know, and what is not in them."""
    first, second, found = differences.first, differences.second, differences.found
    notes = [
        f"Over the queries that both have answered; p by a paired bootstrap. {first} or {second} "
        "is called better where zero lies outside of the 95 % interval: of 20 differences between "
        "equal models, one is expected to be called so by chance."
    ]
    left_out = [one for one in found if one.num_left_out]
    if left_out:
        cells = ", ".join(f"{_name(one.key)}: {one.num_left_out}" for one in left_out)
        notes.append(
            f"Left out are {sum(one.num_left_out for one in left_out)} queries that only one of "
            f"the two has answered ({cells})."
        )
    if few := [_name(one.key) for one in found if one.num_queries < FEWEST_QUERIES]:
        notes.append(f"Fewer than {FEWEST_QUERIES} queries decide nothing: {', '.join(few)}.")
    reasons: dict[str, list[str]] = {}
    for key, why in differences.impossible.items():
        reasons.setdefault(why, []).append(_name(key))
    notes += [f"Not compared, as {why}: {', '.join(cells)}." for why, cells in reasons.items()]
    return notes


def comparison_markdown(models: Sequence[Evaluated], differences: Sequence[Differences]) -> str:
    """The table of all models, then one table for each pair that was compared.

    Raises:
        ConfigError: two models have one name.
    """
    parts = [
        markdown_rows(comparison_rows(models, is_markdown=True), num_left=1),
        *comparison_notes(models),
    ]
    for pair in differences:
        parts.append(f"## {pair.first} and {pair.second}")
        if pair.found:
            parts.append(markdown_rows(difference_rows(pair), num_left=3))
        parts += difference_notes(pair)
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _scores(models: Sequence[Evaluated], control: str) -> Scores:
    twice = [name for name, times in Counter(one.model for one in models).items() if times > 1]
    if twice:
        raise ConfigError(
            f"Several models are called {twice[0]!r}, so their rows could not be told apart.\n"
            "Give them different names."
        )
    found: dict[tuple[str, int], dict[str, Cell]] = {}
    for one in models:
        cells = [cell for cell in one.cells if cell.control == control]
        for shots in sorted({cell.shots for cell in cells}):
            row = {cell.task: cell for cell in cells if cell.shots == shots}
            found[one.model, shots] = row
    return found


def _kinds(scores: Scores) -> dict[str, str]:
    """By task whether it was held out, development tasks first."""
    is_held_out: dict[str, bool] = {}
    for row in scores.values():
        for task, cell in row.items():
            is_held_out[task] = is_held_out.get(task, True) and cell.held_out
    ordered = sorted(is_held_out.items(), key=lambda one: one[1])
    return {task: _HELD_OUT if held_out else _DEV for task, held_out in ordered}


def _common(scores: Scores, shots: int) -> set[str]:
    """The tasks that all models have, of those models that were asked at this number of shots."""
    return set.intersection(*(set(row) for (_, number), row in scores.items() if number == shots))


def _mean(
    scores: Scores, key: tuple[str, int], kinds: Mapping[str, str], group: set[str]
) -> float | None:
    tasks = [task for task in _common(scores, key[1]) if kinds[task] in group]
    return fmean(scores[key][task].score for task in tasks) if tasks else None


def _score(cell: Cell | None) -> float | None:
    return None if cell is None else cell.score


def _marked(column: Sequence[float | None], mark: str) -> list[str]:
    """The numbers as text, the best marked if there are others; equal texts are equally good."""
    texts = ["" if value is None else f"{value:.1f}" for value in column]
    values = [float(text) for text in texts if text]
    best = max(values) if len(values) > 1 else None
    return [mark.format(text) if text and float(text) == best else text for text in texts]


def _better(one: CellDifference, differences: Differences) -> str:
    if not one.is_decided:
        return "undecided"
    return differences.first if one.difference > 0 else differences.second


def _name(key: CellKey) -> str:
    task, shots, control = key
    return f"{task} {shots} shots" + ("" if control == NONE else f" {control}")

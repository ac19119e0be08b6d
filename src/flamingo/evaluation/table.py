"""The few-shot table as text."""

from __future__ import annotations

from collections.abc import Sequence

from flamingo.evaluation.beyond import fall_note, falls
from flamingo.evaluation.cell import Cell
from flamingo.evaluation.controls import NONE
from flamingo.evaluation.results import means
from flamingo.evaluation.text_table import aligned_rows, markdown_rows

_FALLS = " ▼"
_ACCURACY = "accuracy"


def plain_table(cells: Sequence[Cell]) -> str:
    """The table with columns that stand in line, for a terminal."""
    rows = aligned_rows(table_rows(cells), num_left=_num_words(cells))
    return "\n".join([rows, *table_notes(cells)])


def markdown_table(cells: Sequence[Cell]) -> str:
    """The table for a document."""
    rows = markdown_rows(table_rows(cells), num_left=_num_words(cells))
    return "\n".join([rows, "\n\n".join(table_notes(cells))]) + "\n"


def table_rows(cells: Sequence[Cell]) -> list[list[str]]:
    """Header, a row per task with its controls below it, and the means.

    The metrics have a column where there are others than accuracy.
    """
    shots = sorted({cell.shots for cell in cells})
    worse = {task for task, own in falls(cells).items() if own}
    rows = [["task", "", *_of_metric(cells, "metric"), *(f"{n} shots" for n in shots), "chance"]]
    for task, control in dict.fromkeys((cell.task, cell.control) for cell in cells):
        row = {c.shots: c for c in cells if (c.task, c.control) == (task, control)}
        first = next(iter(row.values()))
        name = task + (_FALLS if task in worse else "") if control == NONE else f"- {control}"
        found = [_text(row[n]) if n in row else "" for n in shots]
        kind = "held out" if first.held_out else "dev"
        chance = _chance([cell.chance for cell in row.values() if cell.chance is not None])
        rows.append([name, kind, *_of_metric(cells, first.metric), *found, chance])
    return rows + _mean_rows(cells, shots)


def _mean_rows(cells: Sequence[Cell], shots: Sequence[int]) -> list[list[str]]:
    found = {(mean.control, mean.shots): mean for mean in means(cells)}
    rows = []
    for control in dict.fromkeys(cell.control for cell in cells):
        name = "mean above chance" if control == NONE else f"- {control}"
        row = {n: found[control, n] for n in shots if (control, n) in found}
        dev = {n: mean.dev for n, mean in row.items()}
        held_out = {n: mean.held_out for n, mean in row.items()}
        for kind, values in (("dev", dev), ("held out", held_out)):
            texts = ["" if (value := values.get(n)) is None else f"{value:+.1f}" for n in shots]
            if any(texts):
                rows.append([name, kind, *_of_metric(cells, ""), *texts, ""])
    return rows


def _has_metrics(cells: Sequence[Cell]) -> bool:
    return any(cell.metric != _ACCURACY for cell in cells)


def _of_metric(cells: Sequence[Cell], text: str) -> list[str]:
    return [text] if _has_metrics(cells) else []


def _num_words(cells: Sequence[Cell]) -> int:
    return 3 if _has_metrics(cells) else 2


def _text(cell: Cell) -> str:
    text = f"{cell.score:.1f} ±{cell.half_interval:.1f}"
    return text if cell.above_chance is None else f"{text} ({_signed(cell.above_chance)})"


def _chance(chances: Sequence[float]) -> str:
    """One number, or the range where it hangs on the shots."""
    if not chances:
        return ""
    low, high = (f"{value:.1f}" for value in (min(chances), max(chances)))
    return low if low == high else f"{low}-{high}"


def _signed(value: float) -> str:
    # A rounded -0.3 is a plain nothing.
    return f"{round(value) + 0:+d}"


def table_notes(cells: Sequence[Cell]) -> list[str]:
    """What a reader of the table must know."""
    sizes = sorted({cell.n for cell in cells})
    queries = " or ".join(map(str, sizes)) if len(sizes) < 4 else f"{sizes[0]} to {sizes[-1]}"
    what = "Scores in points" if _has_metrics(cells) else "Accuracy in percent"
    notes = [f"{what}, ± half of its 95 % interval ({queries} queries)"]
    if any(cell.above_chance is not None for cell in cells):
        what = "score" if _has_metrics(cells) else "accuracy"
        notes[0] += f"; in brackets 100 times ({what} - chance) / (1 - chance)"
    notes[0] += "."
    if any(cell.control == "shuffled-images" for cell in cells):
        notes.append(
            "With shuffled-images every support shows what another one did: with few shots of few "
            "names that tells the wrong name more often than not, and lies below chance."
        )
    if note := fall_note(falls(cells)):
        notes.append(f"{_FALLS.strip()} {note}")
    return notes

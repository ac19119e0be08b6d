"""The few-shot table as text."""

from __future__ import annotations

from collections.abc import Sequence

from flamingo.evaluation.cell import Cell
from flamingo.evaluation.controls import NONE
from flamingo.evaluation.results import means, worse_with_more

_FALLS = " ▼"


def plain_table(cells: Sequence[Cell]) -> str:
    """The table with columns that stand in line, for a terminal."""
    rows = table_rows(cells)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            text.ljust(width) if column < 2 else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, "", *table_notes(cells)])


def markdown_table(cells: Sequence[Cell]) -> str:
    """The table for a document."""
    header, *rows = table_rows(cells)
    rule = ["---", "---", *["---:"] * (len(header) - 2)]
    lines = [f"| {' | '.join(row)} |" for row in (header, rule, *rows)]
    return "\n".join([*lines, "", "\n\n".join(table_notes(cells))]) + "\n"


def table_rows(cells: Sequence[Cell]) -> list[list[str]]:
    """Header, a row per task with its controls below it, and the means."""
    shots = sorted({cell.shots for cell in cells})
    worse = worse_with_more(cells)
    rows = [["task", "", *(f"{n} shots" for n in shots), "chance"]]
    for task, control in dict.fromkeys((cell.task, cell.control) for cell in cells):
        row = {c.shots: c for c in cells if (c.task, c.control) == (task, control)}
        first = next(iter(row.values()))
        name = task + (_FALLS if task in worse else "") if control == NONE else f"- {control}"
        found = [_text(row[n]) if n in row else "" for n in shots]
        kind = "held out" if first.held_out else "dev"
        rows.append([name, kind, *found, _chance([cell.chance for cell in row.values()])])
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
                rows.append([name, kind, *texts, ""])
    return rows


def _text(cell: Cell) -> str:
    return f"{cell.score:.1f} ±{cell.half_interval:.1f} ({_signed(cell.above_chance)})"


def _chance(chances: Sequence[float]) -> str:
    """One number, or the range where it hangs on the shots."""
    low, high = (f"{value:.1f}" for value in (min(chances), max(chances)))
    return low if low == high else f"{low}-{high}"


def _signed(value: float) -> str:
    # A rounded -0.3 is a plain nothing.
    return f"{round(value) + 0:+d}"


def table_notes(cells: Sequence[Cell]) -> list[str]:
    """What a reader of the table must know."""
    sizes = sorted({cell.n for cell in cells})
    queries = " or ".join(map(str, sizes))
    notes = [
        f"Accuracy in percent, ± half of its 95 % interval ({queries} queries); in brackets 100 "
        "times (accuracy - chance) / (1 - chance)."
    ]
    if any(cell.control == "shuffled-images" for cell in cells):
        notes.append(
            "With shuffled-images every support shows what another one did: with few shots of few "
            "names that tells the wrong name more often than not, and lies below chance."
        )
    if worse := worse_with_more(cells):
        notes.append(
            f"{_FALLS.strip()} Worse with 32 shots than with 16 by more than that: "
            f"{', '.join(worse)}."
        )
    return notes

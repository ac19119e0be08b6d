from __future__ import annotations

import pytest

from flamingo.evaluation.cell import Cell, wilson_interval
from flamingo.evaluation.paper_table import paper_markdown, paper_notes, paper_rows
from flamingo.foundation.errors import ConfigError

PAPER = {"coco": {"3B": {0: 73.0, 4: 85.0}, "9B": {0: 79.4}}, "okvqa": {"3B": {0: 41.2}}}


def cell(task: str, shots: int, right: int, control: str = "none") -> Cell:
    low, high = wilson_interval(right, 100)
    is_held_out = task != "coco"
    score = float(right)
    return Cell(task, is_held_out, shots, control, "accuracy", score, 100 * low, 100 * high, 100)


CELLS = [
    cell("coco", 4, 60),
    cell("coco", 0, 70),
    cell("okvqa", 0, 40),
    cell("okvqa", 8, 45),
    cell("coco", 0, 10, "blank"),
]


def test_ours_stand_beside_the_papers() -> None:
    header, *rows = paper_rows(CELLS, PAPER, "3B")
    assert header[4:] == ["ours", "paper 3B", "difference"]
    assert [row[0] + row[3] for row in rows] == ["coco0", "coco4", "okvqa0"]
    assert rows[0][2:] == ["yes", "0", "70.0 ±8.8", "73.0", "-3.0"]
    assert rows[1][2:] == ["no", "4", "60.0 ±9.4", "85.0", "-25.0"]
    assert rows[2][1] == "held out"


def test_cells_without_a_number_are_told() -> None:
    assert (
        paper_notes(CELLS, PAPER, "3B")[1] == "The paper has no number of 3B for okvqa at 8 shots."
    )
    assert paper_notes(CELLS, PAPER, "3B")[1] in paper_markdown(CELLS, PAPER, "3B")


def test_other_conditions_stand_below_the_table() -> None:
    text = paper_markdown(CELLS, PAPER, "3B", ["Asked otherwise."])
    assert text.endswith("8 shots.\n\nAsked otherwise.\n")


def test_a_wrong_model_is_told() -> None:
    with pytest.raises(ConfigError, match=r"no model '3b'\. .*Known names: 3B, 9B"):
        paper_rows(CELLS, PAPER, "3b")

"""What is said of cells together: means, falls, and the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flamingo.evaluation.cell import Cell
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.evaluation.report import seconds_before, write_report
from flamingo.evaluation.results import complete_cells, means
from flamingo.evaluation.sweep import Sweep
from flamingo.evaluation.table import markdown_table, plain_table
from tests.evaluation.cells_for_tests import accuracy_cell
from tests.evaluation.toy_task import ToyTask


def cell(task: str, shots: int, right: int, *, control: str = "none") -> Cell:
    return accuracy_cell(
        task,
        held_out=task.startswith("new"),
        shots=shots,
        control=control,
        right=right,
        n=100,
        chance=0.5,
    )


CELLS = [
    cell("color", 16, 90),
    cell("color", 32, 70),
    cell("new-word", 16, 80),
    cell("new-word", 32, 79),
    cell("new-word", 32, 50, control="blank"),
]


def test_means_are_taken_over_each_kind_and_control() -> None:
    found = {(mean.control, mean.shots): mean for mean in means(CELLS)}
    assert found["none", 16].dev == pytest.approx(80)
    assert found["none", 16].held_out == pytest.approx(60)
    assert found["blank", 32].dev is None
    assert found["blank", 32].held_out == pytest.approx(0)


def test_the_table_has_controls_below_their_task_and_marks_a_fall() -> None:
    lines = plain_table(CELLS).splitlines()
    assert lines[0].split() == ["task", "16", "shots", "32", "shots", "chance"]
    assert lines[1].startswith("color ▼")
    assert "90.0 ±6.0 (+80)" in lines[1]
    assert "held out" in lines[2]
    assert lines[3].startswith("- blank")
    assert "50.0 ±9.6 (+0)" in lines[3]
    assert lines[4].split() == ["mean", "above", "chance", "dev", "+80.0", "+40.0"]
    assert "100 queries" in plain_table(CELLS)
    assert lines[-1].endswith("by more than that: color at 32 (best at 16).")


def test_the_columns_of_the_markdown_table_are_complete() -> None:
    rows = [line for line in markdown_table(CELLS).splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {6}
    assert rows[1] == "| --- | --- | ---: | ---: | ---: |"


def test_a_cell_counts_when_all_its_queries_are_answered() -> None:
    sweep = Sweep(tasks=("colors",), shots=(0, 4), num_queries=2)
    right, wrong = Outcome("red", ("red",)), Outcome("red", ("blue",))
    outcomes = {("colors", 0, "none", 0): right, ("colors", 0, "none", 1): wrong}
    outcomes["colors", 4, "none", 0] = right
    (only,) = complete_cells(sweep, {"colors": ToyTask()}, outcomes)
    assert (only.shots, only.score, only.n) == (0, 50, 2)


def test_the_files_of_a_report(tmp_path: Path) -> None:
    assert seconds_before(tmp_path) == 0
    write_report(tmp_path, CELLS, {"model": "m", "seconds": 2.5})
    assert seconds_before(tmp_path) == 2.5
    results = json.loads((tmp_path / "results.json").read_text())
    assert [one["control"] for one in results] == ["none"] * 4 + ["blank"]
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert list(summary["worse_with_more_shots"]) == ["color"]
    assert summary["means_above_chance"][0]["shots"] == 16
    assert (tmp_path / "table.md").read_text() == markdown_table(CELLS)


def test_without_a_complete_cell_there_is_still_a_table() -> None:
    assert plain_table([]).startswith("task")


def test_scores_without_chance_have_no_brackets_and_metrics_a_column() -> None:
    captions = Cell("coco", False, 4, "none", "CIDEr", 85.0, 80.0, 90.0, 50)
    lines = plain_table([captions, cell("color", 4, 90)]).splitlines()
    assert lines[0].split() == ["task", "metric", "4", "shots", "chance"]
    assert lines[1].split() == ["coco", "dev", "CIDEr", "85.0", "±5.0"]
    assert "(+80)" in lines[2]


def test_hidden_answers_give_no_cell() -> None:
    sweep = Sweep(tasks=("colors",), shots=(0,), num_queries=1)
    outcomes = {("colors", 0, "none", 0): Outcome("red", ())}
    assert complete_cells(sweep, {"colors": ToyTask(is_scored=False)}, outcomes) == []


def test_a_cell_that_cannot_be_scored_is_told_and_spoils_no_other() -> None:
    sweep = Sweep(tasks=("colors", "memes"), shots=(0,), num_queries=1)
    no = Outcome("no", ("no",), (("no", -1.0), ("yes", -2.0)))
    outcomes = {(task, 0, "none", 0): no for task in sweep.tasks}
    tasks = {"colors": ToyTask(), "memes": ToyTask("memes", metric="roc-auc")}
    unscored: dict[tuple[str, int, str], str] = {}
    (only,) = complete_cells(sweep, tasks, outcomes, unscored=unscored)
    assert only.task == "colors"
    assert "all 1 have 'no'" in unscored["memes", 0, "none"]

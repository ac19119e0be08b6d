"""`flamingo evaluate` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flamingo.cli.main import main
from flamingo.miniature.tasks import DEVELOPMENT_TASKS, HELD_OUT_TASKS

TASK = HELD_OUT_TASKS[0]


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scores")
    assert main(line(folder)) == 0
    return folder


def line(folder: Path, **changed: object) -> list[str]:
    options = {"tasks": TASK, "shots": "0,2", "queries": 2, "controls": "none,blank", "seed": 0}
    options |= changed
    pairs = (f"--{name}={value}" for name, value in options.items())
    return ["evaluate", "miniature", *pairs, "--out", str(folder)]


def test_the_summary_says_how_the_numbers_came_about(evaluated: Path) -> None:
    summary = json.loads((evaluated / "summary.json").read_text())
    assert summary["tasks"] == [TASK]
    assert summary["shots"] == [0, 2]
    assert len(summary["model_sha256"]) == 64
    assert summary["machine"]["processes"] == 1
    assert summary["machine"]["cpu"]
    assert summary["versions"]["torch"]
    assert summary["seconds"] > 0
    assert summary["command"].startswith(f"flamingo evaluate miniature --tasks={TASK}")
    means = summary["means_above_chance"]
    assert [(one["control"], one["shots"]) for one in means] == [
        ("none", 0), ("none", 2), ("blank", 0), ("blank", 2),
    ]  # fmt: skip
    assert all(one["dev"] is None for one in means)


def test_the_same_command_again_only_prints(
    evaluated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in evaluated.iterdir()}
    assert main(line(evaluated)) == 0
    assert {path: path.read_bytes() for path in evaluated.iterdir()} == before
    assert "- blank" in capsys.readouterr().out


def test_a_report_that_was_lost_is_written_again(evaluated: Path) -> None:
    results = evaluated / "results.json"
    before = results.read_bytes()
    results.write_text("[]")
    assert main(line(evaluated)) == 0
    assert results.read_bytes() == before


def test_one_task_of_another_kind(tmp_path: Path) -> None:
    assert main(line(tmp_path, tasks=DEVELOPMENT_TASKS[0], shots="1")) == 0
    (only, blank) = json.loads((tmp_path / "results.json").read_text())
    assert (only["held_out"], only["n"], only["control"]) == (False, 2, "none")
    assert blank["control"] == "blank"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"queries": 3}, "queries was 2, is now 3"),
        ({"seed": 1}, "seed was 0, is now 1"),
        ({"queries": 0}, "--queries is 0, but must be at least 1"),
        ({"processes": 0}, "--processes is 0, but must be at least 1"),
        ({"controls": "grey"}, "There is no control 'grey'"),
        ({"control-shots": "2,4"}, "--control-shots has 4, which is not among --shots 0,2"),
        ({"shots": "0,-1"}, "--shots is '0,-1'"),
        ({"tasks": "no-such"}, "no miniature task named 'no-such'"),
    ],
)
def test_what_cannot_be_is_told(
    evaluated: Path,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, object],
    message: str,
) -> None:
    assert main(line(evaluated, **changed)) == 2
    assert message in capsys.readouterr().err

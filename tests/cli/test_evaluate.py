"""`flamingo evaluate` as it is typed."""

from __future__ import annotations

import json
import shutil
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
    (command,) = summary["command"]
    assert command.startswith(f"flamingo evaluate miniature --tasks={TASK}")
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


@pytest.mark.parametrize("name", ["results.json", "summary.json", "settings.json"])
def test_a_damaged_file_is_named(
    evaluated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    folder = Path(shutil.copytree(evaluated, tmp_path / "copy"))
    for damage in ("{", "3", '[{"a": 1}]'):
        (folder / name).write_text(damage)
        assert main(line(folder)) == 2
        assert f"{name} is damaged" in capsys.readouterr().err


def test_a_summary_that_was_removed_is_written_again(evaluated: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(evaluated, tmp_path / "copy"))
    (folder / "summary.json").unlink()
    assert main(line(folder)) == 0
    assert json.loads((folder / "summary.json").read_text())["tasks"] == [TASK]


def test_further_commands_add_to_what_is_reported(
    evaluated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(evaluated, tmp_path / "copy"))
    other = DEVELOPMENT_TASKS[0]
    first = json.loads((folder / "summary.json").read_text())
    further = line(folder, tasks=other, shots="1", controls="none")
    for _ in range(2):
        assert main(further) == 0
    assert main(line(folder)) == 0
    results = json.loads((folder / "results.json").read_text())
    assert [(one["task"], one["shots"], one["control"]) for one in results] == [
        (other, 1, "none"),
        *((TASK, shots, control) for control in ("none", "blank") for shots in (0, 2)),
    ]
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["tasks"] == [other, TASK]
    assert summary["shots"] == [0, 1, 2]
    assert summary["controls"] == ["none", "blank"]
    assert summary["seconds"] > first["seconds"]
    commands = summary["command"]
    assert (len(commands), commands[0]) == (2, first["command"][0])
    assert f"--tasks={other}" in commands[1]
    table = (folder / "table.md").read_text()
    assert all(name in table for name in (other, TASK, "- blank"))
    assert other in capsys.readouterr().out


def test_scores_of_tasks_that_are_not_known_now_stay(
    evaluated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(evaluated, tmp_path / "copy"))
    path = folder / "results.json"
    before = json.loads(path.read_text())
    kept = {**before[0], "task": "a benchmark of files"}
    path.write_text(json.dumps([*before, kept]))
    assert main(line(folder, shots="0,1,2")) == 0
    assert kept in json.loads(path.read_text())
    assert "a benchmark of files" in capsys.readouterr().out


def test_answers_of_another_device_are_not_mixed_in(
    evaluated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(evaluated, tmp_path / "copy"))
    path = folder / "settings.json"
    settings = json.loads(path.read_text())
    here = settings.pop("device")
    path.write_text(json.dumps({**settings, "device": "abacus"}))
    assert main(line(folder)) == 2
    assert f"device was 'abacus', is now '{here}'" in capsys.readouterr().err
    path.write_text(json.dumps(settings))
    assert main(line(folder)) == 0
    assert json.loads(path.read_text())["device"] == here


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
        ({"queries": 0}, "--queries is '0', but must be at least 1"),
        ({"processes": 0}, "--processes is 0, but must be at least 1"),
        ({"controls": "grey"}, "There is no control 'grey'"),
        ({"control-shots": "2,4"}, "--control-shots has 4, which is not among --shots 0,2"),
        ({"control-shots": ""}, "--control-shots is '', but must be numbers"),
        ({"shots": "0,-1"}, "--shots is '0,-1'"),
        ({"tasks": "no-such"}, "there is no task named 'no-such'"),
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

"""What is said while arms run, to a person and to a file."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from flamingo.presets.ablations.arms import Arm, Arms
from flamingo.presets.ablations.progress import PROGRESS, Progress, fraction
from flamingo.presets.ablations.rows import ROWS
from tests.presets.ablations.small_ablation import small_config


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def arm(parts: dict[str, Path], tmp_path: Path) -> Arm:
    arm = Arms(small_config(parts, steps=20, queries=10), tmp_path).arm(ROWS["baseline"], 0)
    (arm.folder / "scores").mkdir(parents=True)
    return arm


def at(arm: Arm, step: int, answers: int = 0) -> None:
    (arm.folder / "log.jsonl").write_text(json.dumps({"step": step}) + "\n")
    (arm.folder / "scores" / "predictions.jsonl").write_text("{}\n" * answers)


def test_how_much_is_done_only_grows(arm: Arm) -> None:
    assert fraction(arm) == 0
    found = []
    for step, answers in ((5, 0), (20, 0), (20, 5), (20, 10)):
        at(arm, step, answers)
        found.append(fraction(arm))
    assert found == sorted(found)
    assert (found[1] < 1, found[-1]) == (True, 1)


def test_a_terminal_gets_a_bar(arm: Arm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    progress = Progress(tmp_path, total=3, done=1)
    progress.started(arm)
    at(arm, 20, 10)
    progress.running([arm])
    progress.finished(arm)
    progress.close()
    told = terminal.getvalue()
    assert "2.00/3" in told
    assert "[2/3] baseline, seed 0: trained" in told


def test_others_get_lines_and_a_file_tells_both(
    arm: Arm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Progress(tmp_path, total=2, done=0)
    progress.started(arm)
    progress.failed(arm, "it diverged")
    progress.close()
    told = capsys.readouterr().err
    assert "[1/2] baseline, seed 0: failed: it diverged; about" in told
    lines = [json.loads(line) for line in (tmp_path / PROGRESS).read_text().splitlines()]
    assert [line["event"] for line in lines] == ["started", "failed"]

"""`flamingo ablate` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flamingo.cli.main import main
from flamingo.presets.ablations.rows import ROWS
from tests.presets.ablations.small_ablation import BRIDGE, write_small_parts


@pytest.mark.slow
def test_the_baseline_and_its_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = write_small_parts(tmp_path / "parts")
    line = ["ablate", "--rows", "baseline", "--steps", "2", "--queries", "1", "--shots", "0"]
    line += ["--tasks", "question-count"]
    line += [f"--{name}={folder}" for name, folder in parts.items()]
    line += ["--device", "cpu", "--processes", "1", "--out", str(tmp_path / "out"), *BRIDGE]
    assert main(line) == 0
    told = capsys.readouterr()
    assert "[1/1] baseline, seed 0: mean above chance" in told.err
    table = json.loads((tmp_path / "out" / "table.json").read_text())
    assert table["about"]["command"].startswith("flamingo ablate --rows=baseline")
    assert table["rows"][0]["seeds"] == [0]
    before = {path: path.read_bytes() for path in (tmp_path / "out" / "baseline").rglob("*.json*")}
    assert main(line) == 0
    assert main(["ablate", "--report-only", "--out", str(tmp_path / "out")]) == 0
    assert {path: path.read_bytes() for path in before} == before
    assert main([*line, "--steps", "3"]) == 2
    assert "ablation.steps was 2, is now 3" in capsys.readouterr().err


def test_the_rows_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ablate", "--list"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in ROWS)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--rows=no-tanh", "There is no row 'no-tanh' of the ablation. Did you mean"),
        ("--seeds=0", "--seeds is 0, but must be at least 1"),
        ("--processes=0", "--processes is 0, but must be at least 1"),
        ("--steps=0", "steps is 0, but must be at least 1"),
        ("--learning-rates=fast", "--learning-rates is 'fast'"),
        ("--learning-rates=1,nan", "must be positive"),
        ("--batch-scale=nan", "must be positive"),
        ("--warmup-steps=-1", "warmup_steps is -1"),
        ("--alignment-steps=-1", "alignment_steps is -1"),
        ("--checkpoint-every=0", "checkpoint_every is 0"),
        ("data.alignment_steps=9", "Give --alignment-steps instead"),
        ("model.vision=elsewhere", "Give --vision instead"),
        ("--tasks=digits-2", "held-out tasks are kept out"),
        ("--tasks=question-cont", "no miniature task named 'question-cont'"),
        ("--report-only", "holds no ablation yet"),
        ("data.pagse=3", "There is no setting 'data.pagse'"),
    ],
)
def test_what_cannot_be_is_told(
    option: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ablate", "--out", str(tmp_path), option]) == 2
    assert message in capsys.readouterr().err
    assert not any(tmp_path.iterdir())

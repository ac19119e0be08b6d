"""`flamingo bench`: the table, the files, and the errors that a user can cause."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from flamingo.cli.main import main
from flamingo.inference import speed
from tests.tiny import tiny_flamingo
from tests.tiny_predictor import tiny_predictor

QUICK = [
    *("--rounds", "1", "--queries", "1", "--new-tokens", "2"),
    *("--tokens-per-shot", "4", "--device", "cpu"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    predictor = tiny_predictor()
    predictor.model.save_pretrained(path, full=True)
    predictor.processor.save_pretrained(path)
    return path


def test_the_table_and_the_files(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace, found = tmp_path / "trace.json", tmp_path / "speed.json"
    files = ["--profile", str(trace), "--json", str(found)]
    assert main(["bench", str(folder), "--shots", "0,2", *QUICK, *files]) == 0
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines() if line[:7].strip().isdigit()]
    assert [(row[0], len(row)) for row in rows] == [("0", 9), ("2", 9)]
    assert [rows[0][column] for column in (2, 5, 6, 8)] == ["-"] * 4
    assert "-" not in rows[1]
    assert "One batch with 2 shots" in printed
    assert "aten::" in printed
    assert trace.stat().st_size
    data = json.loads(found.read_text(encoding="utf-8"))
    assert set(data) == {
        "model", "random_weights", "dtype", "int8", "weights_bytes", "machine", "date", "flamingo",
        "torch", "transformers", "rows", "operations",
    }  # fmt: skip
    assert [row["task"]["shots"] for row in data["rows"]] == [0, 2]
    assert set(data["rows"][1]) == set(speed.Speed.__dataclass_fields__)
    assert set(data["rows"][1]["token_seconds"]) == {"median", "lowest", "highest"}
    assert set(data["operations"][0]) == {"name", "calls", "seconds", "share"}
    assert not data["random_weights"]


def test_random_weights_in_int8(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(folder / "config.json", tmp_path)
    how = ["--random-weights", "--dtype", "bf16", "--int8"]
    how += ["--shots", "1", "--beams", "2", "--frames", "2"]
    assert main(["bench", str(tmp_path), *how, *QUICK]) == 0
    printed = capsys.readouterr().out
    assert "bfloat16, language model in int8" in printed
    assert "MiB of random weights" in printed
    assert "2 beams, 2 new tokens, 4 tokens and 2 frames per shot" in printed


def test_queries_are_whole_batches_unless_it_is_said_how_many(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    how = ["--rounds", "1", "--new-tokens", "1", "--device", "cpu", "--shots", "0", "--batch", "12"]
    assert main(["bench", str(folder), *how]) == 0
    assert "Queries: 24 in batches of 12" in capsys.readouterr().out


def _stopping(error: BaseException) -> Any:
    """Measures the first task, and comes to no end with the second."""

    def measure(model: Any, task: Any, progress: Any) -> Any:
        if task.shots:
            raise error
        return real(model, task, progress)

    real = speed.measure_speed
    return measure


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "Interrupted."),
        (torch.OutOfMemoryError("CUDA out of memory"), 2, "Try fewer --shots, a smaller --batch"),
    ],
)
def test_what_was_measured_is_kept(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr(speed, "measure_speed", _stopping(error))
    path, threads = tmp_path / "speed.json", torch.get_num_threads()
    line = ["bench", str(folder), "--shots", "0,2", *QUICK, "--json", str(path), "--threads", "2"]
    assert main(line) == code
    printed = capsys.readouterr()
    assert said in printed.err
    assert any(line[:7].strip() == "0" for line in printed.out.splitlines())
    assert len(json.loads(path.read_text(encoding="utf-8"))["rows"]) == 1
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("flamingo-3c --random-weights", "Did you mean 'flamingo-3b'?"),
        ("flamingo-3b", "Measure it with --random-weights"),
        ("minature", "Did you mean 'miniature'?"),
        ("--shots 4,many", "--shots is '4,many', but must be numbers from 0 on"),
        ("--device gpu", "There is no device 'gpu'"),
        ("--device cuda:77", "is not on this machine"),
        ("--batch 3 --queries 4", "Ask 3 or 6 queries"),
        ("--rounds 0", "rounds is 0, but must be at least 1"),
        ("--threads 0", "threads must be at least 1"),
        ("--json nowhere/speed.json", "There is no folder nowhere"),
        ("--json .", "--json is ., a folder, but must be a file"),
        ("--profile .", "--profile is ., a folder, but must be a file"),
        ("--compile --beams 2", "transformers never compiles beam search"),
    ],
)
def test_wrong_input_is_refused(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *words.split()]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert not printed.out


def test_prompts_longer_than_a_table_of_positions_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_flamingo("opt").config.save_pretrained(tmp_path)
    line = ["bench", str(tmp_path), "--random-weights", "--shots", "0,200", "--device", "cpu"]
    assert main(line) == 2
    printed = capsys.readouterr()
    assert "The prompt has 4005 tokens" in printed.err
    assert not printed.out

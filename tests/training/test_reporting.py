from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from flamingo.foundation.records import read_yaml
from flamingo.training.gates import gate_openings, watch_gates
from flamingo.training.reporting import Reporter, read_log
from tests.training.toy_training import CONFIG, toy_model, toy_trainer


def test_the_log_has_what_a_person_would_ask_for(tmp_path: Path) -> None:
    toy_trainer(tmp_path, replace(CONFIG, log_every=5), on_step=[watch_gates(every=5)]).fit()
    lines = [line for line in read_log(tmp_path / "log.jsonl") if "loss" in line]
    assert [line["step"] for line in lines] == [5, 10, 12]
    first = lines[0]
    assert first["loss"].keys() == {"pages", "pairs"}
    assert first["learning_rate"] == pytest.approx(0.01)
    assert first["tokens_per_second"] > 0
    assert 0 <= first["data_wait"] <= 1
    assert first["gradient_norm"] > 0
    assert first["metrics"].keys() == {"pages/rmse", "pairs/rmse", "gates/gated.alpha_dense"}


def test_the_folder_says_how_the_run_was_made(tmp_path: Path) -> None:
    toy_trainer(tmp_path)
    assert read_yaml(tmp_path / "recipe.yaml")["training"]["steps"] == 12
    versions = json.loads((tmp_path / "versions.json").read_text())
    assert versions["torch"] == torch.__version__.partition("+")[0]
    assert {"python", "transformers", "git_commit"} <= versions.keys()


def test_gates_are_reported_by_their_opening() -> None:
    openings = gate_openings(toy_model())
    assert openings == {"gates/gated.alpha_dense": pytest.approx(0.46211716)}


def test_lines_instead_of_a_bar_where_nobody_looks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toy_trainer(tmp_path, replace(CONFIG, log_every=6)).fit()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("step 6/12: pages ")
    assert lines[-1].startswith("Finished 12 steps")
    assert len(lines) == 3


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_where_somebody_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    reporter = Reporter(tmp_path / "log.jsonl", CONFIG, first_step=3)
    reporter.say("Going on.")
    reporter.close()
    assert "3/12" in terminal.getvalue()
    assert "Going on." in terminal.getvalue()


def test_a_log_line_that_a_crash_cut_short_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"event": "note"}\n{"st')
    Reporter(path, CONFIG, first_step=1).close()
    assert read_log(path) == [{"step": 1}, {"event": "note"}]

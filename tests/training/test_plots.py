from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from flamingo.cli.main import main
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.training.gates import gate_openings, watch_gates
from flamingo.training.plots import plot_final_gates, plot_gates, plot_run
from tests.tiny import tiny_flamingo
from tests.training.flamingo_run import CONFIG, trainer


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    config = replace(CONFIG, tensorboard=True)
    trainer(folder, config, on_step=[watch_gates(every=1)]).fit()
    return folder


def test_a_run_becomes_a_picture(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["curves", str(run)]) == 0
    assert capsys.readouterr().out.strip() == str(run / "curves.png")
    with Image.open(run / "curves.png") as picture:
        assert picture.width > 1000
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 50


def test_the_same_numbers_are_there_for_tensorboard(run: Path) -> None:
    assert list((run / "curves").glob("events.out.tfevents.*"))


def test_a_run_that_has_not_begun_is_told_so(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    with pytest.raises(DataError, match=r"There is no .*log\.jsonl"):
        plot_run(log, tmp_path / "curves.png")
    log.touch()
    with pytest.raises(DataError, match="no step in it yet"):
        plot_run(log, tmp_path / "curves.png")


def test_what_a_short_run_has_not_noted_is_told(tmp_path: Path) -> None:
    log, picture = tmp_path / "log.jsonl", tmp_path / "curves.svg"
    log.write_text(json.dumps({"step": 1, "loss": {"pages": 1.0}}) + "\n")
    plot_run(log, picture)
    # No validation, and neither kind of gate.
    assert picture.read_text().count("<!-- not in the log -->") == 3


def test_the_ending_must_be_a_kind_of_picture(run: Path) -> None:
    with pytest.raises(ConfigError, match=r"should end in \.png, \.svg or \.pdf, not '\.doc'"):
        plot_run(run / "log.jsonl", run / "curves.doc")


def test_the_gates_alone_over_a_run_and_at_its_end(run: Path, tmp_path: Path) -> None:
    plot_gates(run / "log.jsonl", tmp_path / "run.png")
    plot_final_gates(gate_openings(tiny_flamingo()), tmp_path / "end.png")
    for name in ("run", "end"):
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert picture.format == "PNG"


def test_a_model_without_gates_is_told_so(tmp_path: Path) -> None:
    plot_final_gates({}, tmp_path / "none.svg")
    plot_final_gates(gate_openings(tiny_flamingo()), tmp_path / "some.svg")
    told = "this model has none"
    assert told in (tmp_path / "none.svg").read_text()
    assert told not in (tmp_path / "some.svg").read_text()


def test_a_run_without_gates_is_told_so(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps({"step": 1, "loss": {"pages": 1.0}}) + "\n")
    with pytest.raises(DataError, match="tells of no gate"):
        plot_gates(log, tmp_path / "gates.png")


def test_no_matplotlib_is_told(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ConfigError, match=r'pip install "flamingo-vlm\[track\]"'):
        plot_run(run / "log.jsonl", tmp_path / "curves.png")

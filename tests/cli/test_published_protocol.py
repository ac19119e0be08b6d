"""`flamingo evaluate --published-protocol`, and what is written of whose prompts were asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flamingo import Predictor
from flamingo.cli.main import main
from flamingo.cli.sensitivity_variants import variants_of
from flamingo.evaluation.benchmarks.own_prompts import in_own_words
from flamingo.evaluation.sweep import Sweep
from tests.evaluation.benchmarks.image_folders import make_flickr30k, make_hateful_memes
from tests.evaluation.published.models_for_tests import opened, small_open_flamingo

SWITCH = "--published-protocol"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    predictor = small_open_flamingo(tmp_path_factory.mktemp("released"))
    predictor.model.save_pretrained(folder, full=True)
    predictor.processor.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmarks")
    make_hateful_memes(folder / "hateful-memes", 8)
    make_flickr30k(folder / "flickr30k", 4)
    return folder


def evaluate(model: str, data: Path, out: Path, *further: str, tasks: str = "flickr30k") -> int:
    asked = ["--tasks", tasks, "--shots", "0,2", "--queries", "2", "--max-new-tokens", "3"]
    where = ["--data", str(data), "--dtype", "fp32", "--out", str(out)]
    return main(["evaluate", model, *asked, *where, *further])


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_it_is_followed_and_told(
    model: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = "flickr30k,hateful-memes"
    assert evaluate(model, data, tmp_path, SWITCH, tasks=tasks) == 0
    told = "The prompts of flickr30k, hateful-memes are published by OpenFlamingo."
    assert told in capsys.readouterr().out
    lines = (tmp_path / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    zero = [one for one in map(json.loads, lines) if one["shots"] == 0]
    assert len(zero) == 4
    # Two examples as text, of the close-ended task as well.
    assert all(len(one["supports"]) == 2 for one in zero)
    assert all(one["prompt"].count("<image>") == 1 for one in zero)
    summary, settings = read(tmp_path, "summary.json"), read(tmp_path, "settings.json")
    assert summary["protocol"] == "OpenFlamingo"
    assert SWITCH in summary["command"][0]
    assert summary["sources"]["flickr30k"]["template"]["prefix"] == "Output:"
    assert settings["sources"]["flickr30k"]["prompts"] == "published by OpenFlamingo"
    table = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert table.startswith("Asked by the protocol that was published for OpenFlamingo,")
    before = (tmp_path / "predictions.jsonl").read_bytes()
    assert evaluate(model, data, tmp_path, SWITCH, tasks=tasks) == 0
    assert (tmp_path / "predictions.jsonl").read_bytes() == before
    capsys.readouterr()
    assert evaluate(model, data, tmp_path, tasks=tasks) == 2
    assert "was 'published by OpenFlamingo', is now" in (capsys.readouterr().err)


def test_without_it_a_model_is_asked_in_its_own_words(
    model: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(model, data, tmp_path) == 0
    assert "The prompts of flickr30k are the model's own." in capsys.readouterr().out
    assert "protocol" not in read(tmp_path, "summary.json")
    assert read(tmp_path, "settings.json")["sources"]["flickr30k"]["prompts"] == "the model's own"
    assert (tmp_path / "table.md").read_text(encoding="utf-8").startswith("| task")


@pytest.mark.parametrize(
    ("name", "further", "told"),
    [
        ("miniature", {}, "no published protocol for this model"),
        ("model", {"tasks": "imagenet"}, "there is no published protocol for imagenet."),
        ("model", {"tasks": "new-word-2"}, "is for benchmarks of files"),
    ],
)
def test_what_has_none_is_refused(
    name: str,
    further: dict[str, str],
    told: str,
    model: str,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = model if name == "model" else name
    assert evaluate(asked, data, tmp_path / "out", SWITCH, **further) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out" / "predictions.jsonl").exists()


def test_variants_are_of_our_own_protocol(
    model: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["sensitivity", model, "--tasks", "coco", "--data", str(data), "--shots", "4"]
    assert main([*line, SWITCH, "--out", str(tmp_path)]) == 2
    assert SWITCH in capsys.readouterr().err


def test_words_are_varied_from_a_models_own(model: str, data: Path) -> None:
    predictor = Predictor.from_pretrained(model, device="cpu")
    task = in_own_words(opened("textvqa", data), predictor.templates)
    found, _ = variants_of({"textvqa": task}, Sweep(("textvqa",), (2,)), "template", 3)
    own, *others = (one.template for one in found["textvqa"].values())
    assert own == predictor.templates["question-answer"]
    assert [one.prefix for one in others] == ["Q: {question} A:", "{question} Answer:"]

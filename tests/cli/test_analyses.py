"""Sensitivity, contamination, bias and the list of benchmarks, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from flamingo.cli.main import main
from tests.evaluation.benchmarks.image_folders import make_coco, make_flickr30k


def test_orders_of_the_shots(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--tasks=question-count", "--shots=3", "--queries=3", "--variants=2"]
    command = ["sensitivity", "miniature", *options, f"--out={tmp_path}"]
    assert main(command) == 0
    assert "question-count" in capsys.readouterr().out
    found = {path.name: path.read_bytes() for path in tmp_path.glob("order-*/predictions.jsonl")}
    labels = [
        [json.loads(line)["labels"] for line in path.read_text().splitlines()]
        for path in sorted(tmp_path.glob("order-*/predictions.jsonl"))
    ]
    assert len(labels) == 2
    assert labels[0] != labels[1]
    assert [sorted(one) for one in labels[0]] == [sorted(one) for one in labels[1]]
    assert main(command) == 0
    again = {path.name: path.read_bytes() for path in tmp_path.glob("order-*/predictions.jsonl")}
    assert again == found


def test_words_of_the_prompt(tmp_path: Path) -> None:
    options = ["--vary=template", "--tasks=caption", "--queries=2", "--variants=2"]
    assert main(["sensitivity", "miniature", *options, f"--out={tmp_path}"]) == 0
    prompts = [path.read_text() for path in sorted(tmp_path.glob("template-*/predictions.jsonl"))]
    assert "Output:" in prompts[0]
    assert "Caption:" in prompts[1]
    assert "Output:" not in prompts[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tasks=new-word-2"], "new-word-2 is held out"),
        (["--shots=2,4"], "Give one number of shots"),
        (["--variants=1"], "at least two variants"),
        (["--vary=template", "--tasks=known-format"], "no other words for the prompt"),
    ],
)
def test_what_sensitivity_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert main(["sensitivity", "miniature", *options, f"--out={tmp_path}"]) == 2
    assert message in capsys.readouterr().err


def test_copies_in_a_training_set_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coco, training = tmp_path / "coco", tmp_path / "training"
    coco.mkdir()
    training.mkdir()
    make_coco(coco)
    asked = sorted((coco / "val2014").glob("*.jpg"))[-1]
    (training / "copied.jpg").write_bytes(asked.read_bytes())
    Image.effect_noise((48, 48), 80).convert("RGB").save(training / "other.png")
    (training / "broken.png").write_bytes(b"no picture")
    options = ["--training", str(training), "--data", str(coco), "--out", str(tmp_path / "out")]
    assert main(["contamination", "coco", *options]) == 0
    said = capsys.readouterr().out
    assert "6 pictures of the benchmark, 2 of training: 1 have an exact copy" in said
    assert "1 files could not be read" in said
    (first, *_) = (tmp_path / "out/duplicates.jsonl").read_text().splitlines()
    assert json.loads(first)["benchmark"] == str(asked)


def test_groups_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "flickr30k", tmp_path / "out"
    folder.mkdir()
    make_flickr30k(folder)
    options = [f"--data={tmp_path}", "--shots=0", f"--out={out}"]
    assert main(["evaluate", "miniature", "--tasks=flickr30k", *options]) == 0
    ids = [json.loads(x)["query"] for x in (out / "predictions.jsonl").read_text().splitlines()]
    groups = tmp_path / "groups.csv"
    rows = [f"{one},{('a', 'b')[number % 2]}" for number, one in enumerate(ids)]
    groups.write_text("id,kind\n" + "\n".join(rows) + "\n")
    assert main(["report", str(out), "--groups", str(groups)]) == 0
    assert "## flickr30k, 0 shots (CIDEr)" in (out / "bias.md").read_text()
    groups.write_text("id,kind\nnobody,a\nnothing,b\n")
    capsys.readouterr()
    assert main(["report", str(out), "--groups", str(groups)]) == 2
    assert "'nobody' is none" in capsys.readouterr().err


def test_benchmarks_are_listed_and_their_files_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmarks"]) == 0
    said = capsys.readouterr().out
    assert "hateful-memes" in said
    assert len(said.splitlines()) > 18
    assert main(["benchmarks", "coco"]) == 0
    said = capsys.readouterr().out
    assert "dataset_coco.json" in said
    assert "85.0 (4)" in said
    (tmp_path / "coco").mkdir()
    make_coco(tmp_path / "coco")
    assert main(["benchmarks", "coco", "vqav2", "--data", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "test: 6 of 5000 items, all 6 files" in said
    assert "there is no such folder" in said
    assert main(["benchmarks", "cocoa"]) == 2
    assert "coco" in capsys.readouterr().err

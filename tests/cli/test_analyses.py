"""Sensitivity, contamination, bias and the list of benchmarks, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from flamingo.cli.main import main
from tests.evaluation.benchmarks.image_folders import make_coco, make_flickr30k, make_vqav2


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


def test_each_variant_is_an_evaluation_and_few_examples_have_few_orders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "coco").mkdir()
    make_coco(tmp_path / "coco")
    out = tmp_path / "out"
    # Without shots the prompt has two examples as text.
    options = ["--tasks=coco", f"--data={tmp_path}", "--shots=0", "--queries=2", f"--out={out}"]
    assert main(["sensitivity", "miniature", *options]) == 0
    said = capsys.readouterr().out
    assert "has 2 examples in a prompt of 0 shots, of which there are 2 orders, not 6" in said
    assert "6 items here, and 5000 in the complete official files" in said
    assert sorted(path.name for path in out.glob("order-*")) == ["order-0", "order-1"]
    summary = json.loads((out / "order-1/summary.json").read_text())
    assert summary["command"][0].startswith("flamingo sensitivity miniature --tasks=coco")
    assert (summary["shots"], summary["tasks"]) == ([0], ["coco"])
    assert main(["report", str(out / "order-1")]) == 0
    assert "data:image/jpeg" in (out / "order-1/predictions.html").read_text()
    paper = (out / "order-1/paper.md").read_text()
    assert "coco was not asked as in the paper: 2 of the 5000 queries of test." in paper


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tasks=new-word-2"], "new-word-2 is held out"),
        (["--tasks=flickr30k"], "flickr30k is held out"),
        (["--shots=2,4"], "Give one number of shots"),
        (["--variants=1"], "at least two variants"),
        (["--vary=template", "--tasks=known-format"], "no other words for the prompt"),
        (["--tasks=imagenet", "--shots=32"], "at most 16 shots of it are asked, not 32"),
        (["--processes=2"], "--processes is nothing that variants"),
        (["--controls=none,blank"], "--controls is nothing that variants"),
        (["--control-shots=4"], "--control-shots is nothing that variants"),
        (["--ensemble=2"], "--ensemble 2 is a mean over orders"),
    ],
)
def test_what_sensitivity_refuses_before_it_loads_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert main(["sensitivity", "no/such/model", *options, f"--out={tmp_path}"]) == 2
    assert message in capsys.readouterr().err


def test_sensitivity_is_not_for_torchrun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["sensitivity", "no/such/model", f"--out={tmp_path}"]) == 2
    assert "torchrun has started 2 processes" in capsys.readouterr().err


def test_one_shot_has_no_other_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--tasks=question-count", "--shots=1", "--queries=1", f"--out={tmp_path}"]
    assert main(["sensitivity", "miniature", *options]) == 2
    assert (
        "1 examples in a prompt of 1 shots, so there is no other order" in capsys.readouterr().err
    )


def test_a_distance_that_hashes_cannot_have_is_told_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--training=nowhere", f"--data={tmp_path}", f"--out={tmp_path / 'out'}"]
    assert main(["contamination", "coco", *options, "--max-distance=65"]) == 2
    assert "hashes have 64 bits" in capsys.readouterr().err


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


def test_the_papers_own_part_is_checked_where_it_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "vqav2").mkdir()
    make_vqav2(tmp_path / "vqav2")
    command = ["benchmarks", "vqav2", "--data", str(tmp_path)]
    main(command)
    assert "test-dev, the paper's part: 3 of 107394 items, all" in capsys.readouterr().out
    (tmp_path / "vqav2/v2_OpenEnded_mscoco_test-dev2015_questions.json").unlink()
    main(command)
    assert (
        "test-dev, the paper's part: not there, and not needed for val" in capsys.readouterr().out
    )

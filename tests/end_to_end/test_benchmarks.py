"""Every benchmark of the paper, from a folder in its official layout to a score."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flamingo.cli.main import main
from flamingo.evaluation.benchmarks.registry import BENCHMARKS
from flamingo.evaluation.metrics import nltk_data
from tests.evaluation.benchmarks.image_folders import IMAGE_FOLDERS
from tests.evaluation.benchmarks.video_folders import VIDEO_FOLDERS

FOLDERS = {**IMAGE_FOLDERS, **VIDEO_FOLDERS}


def evaluate(folder: Path, out: Path, *options: str) -> int:
    given = [f"--tasks={folder.name}", f"--data={folder.parent}", "--frames=2", f"--out={out}"]
    # WordNet, which the official metric needs, is nowhere on a fresh machine.
    other = [] if folder.name != "nextqa" else ["--metric=nextqa=accuracy"]
    return main(["evaluate", "miniature", *given, *other, *options])


def results(out: Path) -> dict[int, dict[str, object]]:
    return {cell["shots"]: cell for cell in json.loads((out / "results.json").read_text())}


@pytest.mark.parametrize("name", list(BENCHMARKS))
def test_a_benchmark_is_evaluated_from_its_official_files(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark, folder, out = BENCHMARKS[name], tmp_path / name, tmp_path / "out"
    folder.mkdir()
    # A development benchmark keeps more than half of its training part for validation.
    FOLDERS[name](folder, 34 if benchmark.is_held_out or name == "imagenet" else 100)
    # Some metrics compare queries with others, of which there must be both kinds.
    number = {"hateful-memes": 5, "rareact": 20}.get(name, 2)
    assert evaluate(folder, out, "--shots=0,4,32", f"--queries={number}") == 0
    found = results(out)
    assert set(found) == {shots for shots in (0, 4, 32) if shots <= benchmark.max_shots}
    for cell in found.values():
        assert (cell["task"], cell["held_out"], cell["n"]) == (name, benchmark.is_held_out, number)
        assert cell["low"] <= cell["score"] <= cell["high"]  # type: ignore[operator]
    assert "Results and predictions are in" in capsys.readouterr().out
    lines = [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]
    for one in lines:
        num_shown = one["shots"] or (2 if benchmark.max_new_tokens else 0)
        assert len(one["supports"]) == len(one["labels"]) == num_shown
        assert one["prompt"].count("<image>") == one["shots"] + 1
        assert bool(one["candidates"]) == (not benchmark.max_new_tokens)


@pytest.fixture(scope="module")
def textvqa(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "textvqa"
    folder.mkdir()
    FOLDERS["textvqa"](folder, 12)
    return folder


def test_the_same_seed_gives_the_same_numbers(textvqa: Path, tmp_path: Path) -> None:
    options = ("--shots=0,4", "--queries=8")
    once = tmp_path / "once"
    assert evaluate(textvqa, once, *options) == 0
    assert evaluate(textvqa, tmp_path / "other", *options, "--batch-size=3") == 0
    assert results(tmp_path / "other") == results(once)
    killed = tmp_path / "killed"
    assert evaluate(textvqa, killed, "--shots=4", "--queries=8") == 0
    path = killed / "predictions.jsonl"
    path.write_bytes(path.read_bytes()[:-700])
    (killed / "results.json").unlink()
    assert evaluate(textvqa, killed, *options) == 0
    assert results(killed) == results(once)


def test_hidden_answers_give_a_file_to_hand_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "vqav2", tmp_path / "out"
    folder.mkdir()
    FOLDERS["vqav2"](folder, 6)
    assert evaluate(folder, out, "--part=vqav2=test-dev", "--shots=0", "--queries=all") == 0
    path = out / "submissions/vqav2-0-shots.json"
    assert f"To hand in: {path}" in capsys.readouterr().out
    assert {tuple(one) for one in json.loads(path.read_text())} == {("question_id", "answer")}
    assert json.loads((out / "results.json").read_text()) == []


def test_rices_puts_look_alikes_into_the_prompt(textvqa: Path, tmp_path: Path) -> None:
    options = ("--shots=4", "--queries=4", "--shots-by=rices", f"--features={tmp_path / 'f'}")
    assert evaluate(textvqa, tmp_path / "rices", *options) == 0
    assert evaluate(textvqa, tmp_path / "more", *options, "--seed=1") == 0
    supports = [
        [json.loads(line)["supports"] for line in path.read_text().splitlines()]
        for path in (tmp_path / "rices/predictions.jsonl", tmp_path / "more/predictions.jsonl")
    ]
    # Nothing is random about them.
    assert supports[0] == supports[1]


def test_two_benchmarks_add_up_and_are_reported(
    textvqa: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flickr = tmp_path / "flickr30k"
    flickr.mkdir()
    FOLDERS["flickr30k"](flickr, 6)
    out = tmp_path / "out"
    for folder in (textvqa, flickr):
        assert evaluate(folder, out, "--shots=0,4", "--queries=2") == 0
    cells = json.loads((out / "results.json").read_text())
    assert {(cell["task"], cell["metric"]) for cell in cells} == {
        ("textvqa", "VQA accuracy"),
        ("flickr30k", "CIDEr"),
    }
    capsys.readouterr()
    assert main(["report", str(out), "--trained-shots=2"]) == 0
    assert "best beyond 2 shots" in (out / "beyond.md").read_text()
    assert "Note" not in capsys.readouterr().out.replace("Note: Without pictures, as no task", "")
    page = (out / "predictions.html").read_text()
    assert page.count("data:image/jpeg") >= 4
    assert "60.6" in (out / "paper.md").read_text()


def test_several_evaluations_are_compared(textvqa: Path, tmp_path: Path) -> None:
    for name, seed in (("first", 0), ("second", 1)):
        options = (f"--seed={seed}", "--shots=4", "--queries=4")
        assert evaluate(textvqa, tmp_path / name, *options) == 0
    folders = [str(tmp_path / name) for name in ("first", "second")]
    assert main(["report", *folders, "--out", str(tmp_path / "both")]) == 0
    table = (tmp_path / "both/comparison.md").read_text()
    assert "## first and second" in table
    assert (tmp_path / "both/comparison.png").is_file()


def test_a_task_of_ones_own_in_five_lines(tmp_path: Path) -> None:
    from PIL import Image

    lines = []
    for number in range(6):
        color = ("red", "green")[number % 2]
        Image.new("RGB", (24, 24), color).save(tmp_path / f"{number}.png")
        lines.append({"image": f"{number}.png", "question": "what color?", "answer": color})
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "paint.yaml").write_text(
        "name: paint\n"
        "data: data.jsonl\n"
        'template: "Question: {question} Answer: {answer}"\n'
        "choices: [red, green]\n"
        "metric: top-1\n"
    )
    out = tmp_path / "out"
    options = ["--shots=0,4", "--queries=all", f"--out={out}"]
    assert main(["evaluate", "miniature", f"--tasks={tmp_path / 'paint.yaml'}", *options]) == 0
    found = results(out)
    assert [found[shots]["n"] for shots in (0, 4)] == [6, 6]
    assert found[4]["chance"] == 50


@pytest.mark.slow
def test_two_processes_give_the_same_numbers(textvqa: Path, tmp_path: Path) -> None:
    options = ("--shots=0,4", "--queries=8", "--batch-size=4")
    for num in (1, 2):
        assert evaluate(textvqa, tmp_path / str(num), *options, f"--processes={num}") == 0
    assert results(tmp_path / "2") == results(tmp_path / "1")


@pytest.mark.slow
def test_processes_of_torchrun_divide_the_work(textvqa: Path, tmp_path: Path) -> None:
    options = ["--shots=0,4", "--queries=8", "--batch-size=2", "--frames=2"]
    alone, together = tmp_path / "alone", tmp_path / "together"
    assert evaluate(textvqa, alone, *options) == 0
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    given = ["--tasks=textvqa", f"--data={textvqa.parent}", f"--out={together}"]
    command = [*launch, "-m", "flamingo.cli.main", "evaluate", "miniature", *given, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert results(together) == results(alone)
    files = sorted(path.name for path in together.glob("predictions*.jsonl"))
    assert files == ["predictions-1.jsonl", "predictions.jsonl"]
    assert all((together / name).read_text() for name in files)
    assert done.stdout.count("Results and predictions are in") == 1


def test_a_metric_that_cannot_be_computed_is_told_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nltk", None)
    monkeypatch.setitem(sys.modules, "nltk.corpus", None)
    nltk_data.wordnet.cache_clear()
    nltk_data.tagger.cache_clear()
    folder = tmp_path / "nextqa"
    folder.mkdir()
    options = [f"--data={tmp_path}", "--shots=0", f"--out={tmp_path / 'out'}"]
    assert main(["evaluate", "miniature", "--tasks=nextqa", *options]) == 2
    said = capsys.readouterr().err
    assert "NextQA cannot be scored here" in said
    assert "--metric nextqa=accuracy" in said
    assert not (tmp_path / "out").exists()

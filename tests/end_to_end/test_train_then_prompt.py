"""The whole journey in small: three stages, each a few steps, then a prompt."""

from __future__ import annotations

from pathlib import Path

import pytest

from flamingo import Predictor
from flamingo.cli.main import main
from flamingo.miniature.tasks import task_named


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    short = ["training.steps=2", "training.threads=1"]
    vision = ["data.batch_size=8", "probe.every=0"]
    bridge = [
        f"model.vision={runs}/miniature-vision/model",
        f"model.language={runs}/miniature-language/model",
        "data.alignment_steps=1",
        "data.alignment_batch=2",
        "data.pages=2",
        "data.pairs=2",
        "data.clips=1",
        "data.questions=1",
    ]
    stages = {"vision": vision, "language": ["probe.episodes=1"], "flamingo": bridge}
    for stage, more in stages.items():
        out = str(runs / f"miniature-{stage}")
        assert main(["train", f"miniature-{stage}", "--out", out, *short, *more]) == 0
    return runs / "miniature-flamingo" / "model"


def test_what_three_stages_leave_answers_a_prompt(trained: Path) -> None:
    predictor = Predictor.from_pretrained(trained, device="cpu")
    task = task_named("new-word-2")
    episode = task.build(0, 0, 4)
    scores = predictor.score(
        task.prompt(episode), [task.template.continuation(name) for name in episode.candidates]
    )
    assert len(scores) == 2
    assert all(score < 0 for score in scores)


def test_it_can_be_evaluated(trained: Path, tmp_path: Path) -> None:
    line = ["evaluate", str(trained), "--tasks", "new-word-2,caption", "--shots", "0,2"]
    assert main([*line, "--queries", "3", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "results.json").is_file()
    assert len((tmp_path / "predictions.jsonl").read_text().splitlines()) == 12


def test_a_stage_whose_parts_are_missing_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["train", "miniature-flamingo", "--out", str(tmp_path / "run")]
    assert main([*line, f"model.vision={tmp_path}/nothing"]) == 2
    assert "flamingo train miniature-vision --out" in capsys.readouterr().err

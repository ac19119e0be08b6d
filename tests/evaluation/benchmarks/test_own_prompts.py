"""Benchmarks in a model's own words, and without the faults of its authors' code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flamingo import Predictor, Visual
from flamingo.evaluation.benchmarks.custom import read_custom_task
from flamingo.evaluation.benchmarks.media_loader import MediaLoader
from flamingo.evaluation.benchmarks.own_prompts import in_own_words, told_prompts, whose_prompts
from flamingo.evaluation.benchmarks.task import BenchmarkTask
from flamingo.evaluation.identity import task_fingerprints
from flamingo.evaluation.prediction import Prediction
from flamingo.evaluation.published.families import as_published
from flamingo.evaluation.runner import ask
from flamingo.miniature.tasks import TASKS
from tests.evaluation.published.models_for_tests import opened, prompt_of, small_open_flamingo
from tests.tiny_predictor import tiny_predictor


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("benchmarks")


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return small_open_flamingo(tmp_path_factory.mktemp("model"))


def own(predictor: Predictor, name: str, folder: Path) -> BenchmarkTask:
    return in_own_words(opened(name, folder), predictor.templates)


def answers(predictor: Predictor, task: BenchmarkTask, *indices: int, shots: int) -> Any:
    return ask(
        predictor,
        task,
        indices,
        num_shots=shots,
        seed=0,
        control="none",
        max_new_tokens=4,
        memory=predictor.visual_memory(),
    )


def scores(found: list[Prediction]) -> np.ndarray:
    rows = [[one.score, *(score for _, score in one.candidates)] for one in found]
    return np.array(rows)


@pytest.mark.parametrize(
    ("name", "begin", "end"),
    [
        ("coco", "<image>Output:", "<image>Output:"),
        ("textvqa", "<image>Question:what", " Short answer:"),
        (
            "hateful-memes",
            "<image>is an image with: 'when",
            " written on it. Is it hateful? Answer:",
        ),
        ("imagenet", "<image>Output:", "<image>Output:"),
    ],
)
def test_a_model_is_asked_in_its_own_words(
    predictor: Predictor, folder: Path, name: str, begin: str, end: str
) -> None:
    task = own(predictor, name, folder)
    text = prompt_of(predictor, task, 0, 1)
    assert text.startswith(begin)
    assert text.endswith(end)
    assert task.prompts == whose_prompts(task)["prompts"] == "the model's own"
    assert told_prompts(task)["template"]["prefix"] == task.template.prefix
    usual = opened(name, folder)
    assert task_fingerprints({name: task}, 0) != task_fingerprints({name: usual}, 0)


def test_other_words_than_the_papers_stay(
    predictor: Predictor, folder: Path, tmp_path: Path
) -> None:
    visdial = opened("visdial", folder)
    assert in_own_words(visdial, predictor.templates) is visdial
    assert whose_prompts(visdial) == {"prompts": "the benchmark's"}
    assert "template" not in told_prompts(visdial)
    assert whose_prompts(next(iter(TASKS.values()))) == {}
    (tmp_path / "own.jsonl").write_text('{"image": "1.png", "question": "?", "answer": "a"}\n')
    task = opened("textvqa", folder)
    for line, is_own in (
        ("", True),
        ("template: question-answer", True),
        ('template: "Question: {question} Answer: {answer}"', False),
    ):
        (tmp_path / "own.yaml").write_text(f"name: own\ndata: own.jsonl\n{line}\n")
        asked = replace(task, benchmark=read_custom_task(tmp_path / "own.yaml"))
        found = in_own_words(asked, predictor.templates)
        assert (found.own_template is not None) is is_own


@pytest.mark.parametrize("name", ["coco", "textvqa", "hateful-memes"])
def test_models_without_their_own_words_are_asked_as_ever(folder: Path, name: str) -> None:
    task = opened(name, folder)
    found = in_own_words(task, tiny_predictor().templates)
    assert found is task
    assert found.template is task.benchmark.template


@pytest.mark.parametrize("shots", [0, 2])
@pytest.mark.parametrize("name", ["hateful-memes", "vqav2"])
def test_what_else_is_asked_changes_no_score(
    predictor: Predictor, folder: Path, name: str, shots: int
) -> None:
    task = own(predictor, name, folder)
    lengths = {len(prompt_of(predictor, task, index, shots)) for index in range(4)}
    assert len(lengths) > 1, "prompts of one length need no padding"
    together = answers(predictor, task, 0, 1, 2, 3, shots=shots)
    alone = [answers(predictor, task, index, shots=shots)[0] for index in range(4)]
    assert [one.prediction for one in together] == [one.prediction for one in alone]
    assert scores(together) == pytest.approx(scores(alone), abs=1e-4)


def with_other_supports(task: BenchmarkTask) -> BenchmarkTask:
    """The same task, but all pictures of its supports are noise."""
    supports = {media.path for item in task.subsets.supports for media in item.media}
    read: Callable[..., Visual] = task.load.read
    rng = np.random.default_rng(0)

    def other(path: Path, **sampling: Any) -> Visual:
        visual = read(path, **sampling)
        if path not in supports:
            return visual
        return Visual(rng.integers(0, 256, visual.frames.shape, dtype=np.uint8))

    return replace(task, load=MediaLoader(task.load.sampling, read=other))


@pytest.mark.parametrize("name", ["hateful-memes", "vqav2", "coco"])
def test_without_shots_no_picture_of_a_support_is_seen(
    predictor: Predictor, folder: Path, name: str
) -> None:
    task = own(predictor, name, folder)
    other = with_other_supports(task)
    plain, changed = (answers(predictor, one, 0, 1, shots=0) for one in (task, other))
    assert [one.prediction for one in plain] == [one.prediction for one in changed]
    assert scores(plain) == pytest.approx(scores(changed), abs=1e-6)
    plain, changed = (answers(predictor, one, 0, 1, shots=2) for one in (task, other))
    assert scores(plain) != pytest.approx(scores(changed), abs=1e-6)


def test_the_published_protocol_sees_one_on_memes_alone(predictor: Predictor, folder: Path) -> None:
    own = {name: opened(name, folder) for name in ("hateful-memes", "vqav2")}
    model, tasks = as_published(predictor, own)
    for name, task in tasks.items():
        other = with_other_supports(task)
        plain, changed = (scores(answers(model, one, 0, 1, shots=0)) for one in (task, other))
        assert (plain == pytest.approx(changed, abs=1e-6)) is (name == "vqav2")

"""Files for official servers say what was answered, and refuse what they cannot say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.evaluation.benchmarks.benchmark import Benchmark
from flamingo.evaluation.benchmarks.image_benchmarks import COCO, TEXTVQA, VISDIAL, VIZWIZ, VQAV2
from flamingo.evaluation.benchmarks.item import Item
from flamingo.evaluation.benchmarks.submissions import submission
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.foundation.errors import ConfigError, DataError
from tests.evaluation.benchmarks.image_folders import IMAGE_FOLDERS


def submitted(benchmark: Benchmark, part: str, folder: Path) -> list[dict[str, object]]:
    """What a file says in which the n-th query has the answer "a n é"."""
    IMAGE_FOLDERS[benchmark.name](folder)
    items = benchmark.read(folder, part).items
    answered = [(item, Outcome(f"a {n} é", item.references)) for n, item in enumerate(items)]
    assert benchmark.submission is not None
    return json.loads(submission(benchmark.submission, answered))


def test_captions(tmp_path: Path) -> None:
    found = submitted(COCO, "test", tmp_path)
    assert found[1] == {"image_id": 401, "caption": "a 1 é"}


@pytest.mark.parametrize("benchmark", [VQAV2, TEXTVQA], ids=lambda one: one.name)
def test_answers_to_questions(benchmark: Benchmark, tmp_path: Path) -> None:
    part = benchmark.query_parts[1]
    found = submitted(benchmark, part, tmp_path)
    ids = [int(item.id) for item in benchmark.read(tmp_path, part).items]
    assert found == [{"question_id": one, "answer": f"a {n} é"} for n, one in enumerate(ids)]


def test_answers_by_image(tmp_path: Path) -> None:
    found = submitted(VIZWIZ, "test", tmp_path)
    assert found[2] == {"image": "VizWiz_test_00000002.jpg", "answer": "a 2 é"}


def test_ranks_of_a_dialog(tmp_path: Path) -> None:
    IMAGE_FOLDERS["visdial"](tmp_path)
    item = VISDIAL.read(tmp_path, "test").items[2]
    scores = [(text, -float((7 * number) % 100)) for number, text in enumerate(item.candidates)]
    (found,) = json.loads(submission("visdial", [(item, Outcome("", (), tuple(scores)))]))
    assert found == {
        "image_id": 702,
        "round_id": 3,
        "ranks": [1 + (7 * number) % 100 for number in range(100)],
    }


@given(st.lists(st.floats(-50, 0), min_size=1, max_size=20))
def test_ranks_are_an_order_by_likelihood(scores: list[float]) -> None:
    candidates = tuple(map(str, range(len(scores))))
    item = Item("1-1", (), candidates=candidates, details={"image_id": 1, "round_id": 1})
    outcome = Outcome("", (), tuple(zip(candidates, scores, strict=True)))
    ranks = json.loads(submission("visdial", [(item, outcome)]))[0]["ranks"]
    assert sorted(ranks) == list(range(1, len(scores) + 1))
    assert [score for _, score in sorted(zip(ranks, scores, strict=True))] == sorted(
        scores, reverse=True
    )


def test_ranks_need_every_candidate() -> None:
    item = Item("1-1", (), candidates=("yes", "no"), details={"image_id": 1, "round_id": 1})
    with pytest.raises(DataError, match="answer to 1-1 ranks 1 candidates"):
        submission("visdial", [(item, Outcome("yes", (), (("yes", -1.0),)))])


def test_the_wrong_format_names_what_is_missing() -> None:
    item = Item("7", (), details={"image": "a.jpg"})
    with pytest.raises(DataError, match="item 7 has no detail 'question_id'"):
        submission("vqa", [(item, Outcome("yes", ()))])


def test_an_unknown_format_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'vqa2'.*\n.*'vqa'.*coco-captions, textvqa, .*vizwiz"):
        submission("vqa2", [])

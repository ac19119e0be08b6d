from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.evaluation.metrics.registry import metric_named
from flamingo.evaluation.metrics.vqa_accuracy import (
    VqaAccuracy,
    leave_equals_out,
    leave_one_out,
)
from flamingo.foundation.errors import DataError
from tests.evaluation.metrics.annotation_fixtures import fixture_file

WORDS = st.sampled_from(["a", "b", "c"])


@settings(max_examples=100, deadline=None)
@given(WORDS, st.lists(WORDS, min_size=2, max_size=12))
def test_leaving_one_out_is_what_it_says(prediction: str, answers: list[str]) -> None:
    shares = []
    for own in range(len(answers)):
        others = [answer for place, answer in enumerate(answers) if place != own]
        shares.append(min(1, others.count(prediction) / 3))
    assert leave_one_out(prediction, answers) == pytest.approx(sum(shares) / len(shares))


@settings(max_examples=100, deadline=None)
@given(WORDS, st.lists(WORDS, min_size=2, max_size=12))
def test_with_ids_no_two_records_are_equal(prediction: str, answers: list[str]) -> None:
    records = [{"answer": answer, "answer_id": place} for place, answer in enumerate(answers)]
    expected = leave_one_out(prediction, answers)
    assert leave_equals_out(prediction, records) == pytest.approx(expected)


def asked(prediction: str, answers: list[str], **ids: Any) -> Outcome:
    records = [{"answer": answer, "answer_confidence": "yes", **ids} for answer in answers]
    return Outcome(prediction, tuple(answers), details={"answers": records})


def test_without_ids_a_unanimous_answer_is_worth_nothing() -> None:
    outcomes = [asked("red", ["red"] * 10)]
    assert VqaAccuracy().each(outcomes) == [1.0]
    assert VqaAccuracy("official").each(outcomes) == [0.0]
    assert VqaAccuracy("open-flamingo").each(outcomes) == [0.0]


def test_the_confidence_tells_records_apart() -> None:
    records = [{"answer": "red", "answer_confidence": word} for word in ["yes"] * 7 + ["no"] * 3]
    # Seven are left with the three others, three with the seven others.
    assert leave_equals_out("red", records) == pytest.approx((7 * 1 + 3 * 1) / 10)
    assert leave_equals_out("red", records[:8]) == pytest.approx((7 / 3 + 1) / 8)


def test_the_official_code_normalizes_only_where_people_differ() -> None:
    records = [{"answer": "red", "answer_id": number} for number in range(10)]
    details = {"answers": records}
    alike = Outcome("Red.", ("red",) * 10, details=details)
    assert VqaAccuracy("official").each([alike]) == [0.0]
    assert VqaAccuracy("open-flamingo").each([alike]) == [1.0]
    assert VqaAccuracy().each([alike]) == [1.0]
    answers = ("red",) * 9 + ("Blue",)
    other = Outcome("Red.", answers, details=details)
    assert VqaAccuracy("official").each([other]) == [1.0]


@lru_cache(maxsize=2)
def annotations(name: str) -> list[dict[str, Any]]:
    path = fixture_file(f"{name}_val_annotations_vqa_format.json")
    whole: dict[str, list[dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))
    return whole["annotations"]


def answered(
    name: str, write: Callable[[random.Random, str], str] = lambda rng, answer: answer
) -> list[Outcome]:
    """As if the model gave the answer of one of the ten people."""
    rng = random.Random(0)
    outcomes = []
    for annotation in annotations(name):
        records = annotation["answers"]
        prediction = write(rng, rng.choice(records)["answer"])
        references = tuple(record["answer"] for record in records)
        outcomes.append(Outcome(prediction, references, details={"answers": records}))
    return outcomes


def points(name: str, outcomes: list[Outcome]) -> float:
    metric = metric_named(name)
    return metric.total(outcomes, metric.each(outcomes))


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("vqa-accuracy", 74.5288),
        ("vqa-accuracy:official", 55.3407),
    ],
)
def test_vizwiz_as_the_official_codes_score_it(mode: str, expected: float) -> None:
    assert points(mode, answered("vizwiz")) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("mode", ["vqa-accuracy", "vqa-accuracy:official"])
def test_textvqa_as_the_official_codes_score_it(mode: str) -> None:
    assert points(mode, answered("textvqa")) == pytest.approx(87.584, abs=5e-4)


def test_all_ways_agree_on_clean_answers_with_ids() -> None:
    outcomes = answered("textvqa")[:300]
    modes = ("by-index", "official", "open-flamingo", "mmf")
    by_index, *others = [VqaAccuracy(mode).each(outcomes) for mode in modes]
    assert all(other == pytest.approx(by_index) for other in others)


def test_textvqa_with_capitals_and_periods() -> None:
    def write(rng: random.Random, answer: str) -> str:
        return f"{answer.capitalize()}." if rng.random() < 0.3 else answer

    outcomes = answered("textvqa", write)[:1000]
    lost = points("vqa-accuracy", outcomes) - points("vqa-accuracy:official", outcomes)
    assert 5 < lost < 9


def test_errors() -> None:
    with pytest.raises(DataError, match="one reference, 'red'"):
        VqaAccuracy().each([Outcome("red", ("red",))])
    with pytest.raises(DataError, match="no references"):
        VqaAccuracy().each([Outcome("red", ())])
    with pytest.raises(DataError, match="2 references, and its detail 'answers' holds 0"):
        VqaAccuracy("official").each([Outcome("red", ("red", "red"))])

"""Metrics that compare an answer letter for letter: accuracy, iVQA and accuracy over types."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.evaluation.metrics.accuracy import Accuracy
from flamingo.evaluation.metrics.ivqa_accuracy import IvqaAccuracy
from flamingo.evaluation.metrics.multiple_choice_by_type import MultipleChoiceByType
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.foundation.errors import DataError


def test_space_around_an_answer_does_not_count_but_case_does() -> None:
    outcomes = [
        Outcome(" cat\n", ("dog", "cat")),
        Outcome("Cat", ("cat",)),
        Outcome("black cat", ("cat",)),
    ]
    assert Accuracy().each(outcomes) == [1.0, 0.0, 0.0]
    assert Accuracy(ignore_case=True).each(outcomes) == [1.0, 1.0, 0.0]
    assert Accuracy().total(outcomes, [1.0, 0.0, 0.0]) == pytest.approx(100 / 3)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from("abc"), st.lists(st.sampled_from("abc"), min_size=5, max_size=5))
def test_ivqa_as_in_the_official_code(prediction: str, answers: list[str]) -> None:
    counts = {answer: min(count / 2, 1) for answer, count in Counter(answers).items()}
    found = IvqaAccuracy().each([Outcome(prediction, tuple(answers))])
    assert found == [counts.get(prediction, 0)]


TYPED = st.lists(st.tuples(st.sampled_from(["I", "S", "P", "F"]), st.booleans()), min_size=1)


@settings(max_examples=100, deadline=None)
@given(TYPED)
def test_every_type_counts_alike(answers: list[tuple[str, bool]]) -> None:
    outcomes = [
        Outcome("a", ("a" if is_right else "b",), details={"type": kind})
        for kind, is_right in answers
    ]
    by_type: dict[str, list[bool]] = {}
    for kind, is_right in answers:
        by_type.setdefault(kind, []).append(is_right)
    shares = [sum(values) / len(values) for values in by_type.values()]
    metric = MultipleChoiceByType()
    total = metric.total(outcomes, metric.each(outcomes))
    assert total == pytest.approx(100 * sum(shares) / len(shares))


def test_errors() -> None:
    with pytest.raises(DataError, match=r"no detail 'type', only \['kind'\]"):
        MultipleChoiceByType().total([Outcome("a", ("a",), details={"kind": "I"})], [1.0])
    with pytest.raises(DataError, match="no answers to score"):
        MultipleChoiceByType().total([], [])
    with pytest.raises(DataError, match="no answers to score"):
        Accuracy().total([], [])
    for metric in (Accuracy(), IvqaAccuracy(), MultipleChoiceByType()):
        with pytest.raises(DataError, match="no references to compare 'a' with"):
            metric.each([Outcome("a", ())])

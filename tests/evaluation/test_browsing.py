"""What answers are worth, and which of them a page shows."""

from __future__ import annotations

import math
from typing import Any

from flamingo.evaluation.answered import Answered
from flamingo.evaluation.browsing import HIDDEN, select, values_by_query, values_of
from flamingo.evaluation.metrics.outcome import Outcome


def answered(
    index: int,
    prediction: str = "red",
    references: tuple[str, ...] = ("red",),
    shots: int = 0,
    control: str = "none",
    **details: Any,
) -> Answered:
    outcome = Outcome(prediction, references, (("wash egg", -1.0), ("fry hair", -2.0)), details)
    return Answered(("task", shots, control, index), f"query {index}", outcome)


def clip(index: int, annotation: int) -> Answered:
    references = ("wash egg",) if annotation == 1 else ()
    action = {"video": f"v{index}", "class": 0, "verb": "wash", "noun": "egg"}
    return answered(index, "wash egg", references, annotation=annotation, **action)


def test_clips_without_the_action_are_scored_with_the_others() -> None:
    answers = [clip(0, 1), clip(1, 0), clip(2, 3)]
    found = values_of(answers, "mwap")
    assert (found.num_unscored, found.why_not) == (0, "")
    assert found.by_place["task", 0, "none", 0] > 0.5
    assert found.by_place["task", 0, "none", 1] < 0.5
    assert set(select(answers, "mwap").values) == {one.place for one in answers}
    assert set(values_by_query(answers, "mwap", 0)) == {"query 0", "query 1", "query 2"}


def test_hidden_answers_are_shown_without_a_score() -> None:
    answers = [answered(0, references=()), answered(1, references=())]
    found = select(answers, "accuracy")
    assert len(found.values) == 2
    assert all(map(math.isnan, found.values.values()))
    assert (found.num_unscored, found.why_not, found.num_left_out) == (2, HIDDEN, 0)
    assert values_by_query(answers, "accuracy", 0) == {}


def test_what_is_known_is_scored_though_other_answers_are_hidden() -> None:
    answers = [answered(0, references=()), answered(1), answered(2, "blue")]
    found = values_of(answers, "accuracy")
    assert list(found.by_place.values())[1:] == [1.0, 0.0]
    assert (found.num_unscored, found.why_not) == (1, HIDDEN)
    assert values_by_query(answers, "accuracy", 0) == {"query 1": 1.0, "query 2": 0.0}


def test_an_answer_that_the_metric_refuses_tells_why() -> None:
    found = values_of([answered(0, references=("blue",))], "top-1")
    assert found.num_unscored == 1
    assert "none of the right answers 'blue'" in found.why_not


def test_the_worst_queries_are_shown_at_all_numbers_of_shots() -> None:
    answers = [
        answered(0),
        answered(0, shots=4),
        answered(1, "blue"),
        answered(1, shots=4),
        answered(2, "blue"),
        answered(2, "blue", shots=4),
        answered(3, references=()),
    ]
    found = select(answers, "accuracy", most=2)
    assert {place[3] for place in found.values} == {1, 2}
    assert len(found.values) == 4
    assert found.num_left_out == 2
    # Those without a score come last.
    assert 3 not in {place[3] for place in select(answers, "accuracy", most=3).values}


def test_cells_are_scored_apart() -> None:
    answers = [answered(0), answered(0, "blue", shots=4), answered(0, "blue", control="blank")]
    assert values_by_query(answers, "accuracy", 0) == {"query 0": 1.0}
    assert values_by_query(answers, "accuracy", 4) == {"query 0": 0.0}

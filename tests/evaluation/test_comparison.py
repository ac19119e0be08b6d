from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.evaluation.cell import Cell
from flamingo.evaluation.comparison import CellDifference, Differences, Evaluated, differences
from flamingo.evaluation.comparison_table import (
    comparison_markdown,
    comparison_notes,
    comparison_rows,
    difference_notes,
    difference_rows,
)
from flamingo.evaluation.metrics.mean_of_each import MeanOfEach
from flamingo.evaluation.metrics.outcome import Outcome
from flamingo.evaluation.metrics.roc_auc import RocAuc
from flamingo.foundation.errors import ConfigError

KEY = ("coco", 4, "none")


class Given(MeanOfEach):
    """The answers themselves are numbers: what they are worth."""

    name = "worth"

    def each(self, outcomes: Sequence[Outcome]) -> list[float]:
        return [float(outcome.prediction) for outcome in outcomes]


METRICS = {"coco": Given()}


def cell(task: str, shots: int, score: float, *, metric: str = "worth") -> Cell:
    return Cell(
        task=task,
        held_out=task.startswith("new"),
        shots=shots,
        control="none",
        metric=metric,
        score=score,
        low=score - 1,
        high=score + 1,
        n=100,
        chance=0.0,
        above_chance=score,
    )


def model(name: str, values: Sequence[float], start: int = 0) -> Evaluated:
    """Its answers to the queries from number `start` on."""
    outcomes = {str(start + i): Outcome(str(v), ("right",)) for i, v in enumerate(values)}
    score = 100 * math.fsum(values) / len(values)
    return Evaluated(name, (cell("coco", 4, score),), {KEY: outcomes})


def compared(first: Evaluated, second: Evaluated) -> CellDifference:
    (one,) = differences(first, second, METRICS).found
    return one


def test_the_difference_is_over_the_queries_that_both_answered() -> None:
    one = compared(model("a", [1.0] * 30 + [0.0] * 30), model("b", [0.0] * 30, start=10))
    assert (one.num_queries, one.num_left_out) == (30, 30)
    assert (one.first, one.second) == (pytest.approx(100 * 20 / 30), 0.0)
    assert one.low < one.difference < one.high
    assert one.is_decided
    assert one.p_value < 0.01


def test_what_is_hard_for_both_cancels_out() -> None:
    # One of 100 queries is answered by the second model alone, and the values vary a lot.
    values = [0.3 * (i % 2) for i in range(100)]
    one = compared(model("a", values), model("b", [1.0, *values[1:]]))
    assert one.difference == pytest.approx(-1.0)
    assert one.high - one.low <= 4
    assert not one.is_decided


def test_the_interval_is_that_of_the_normal_distribution_where_that_holds() -> None:
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(0.6, 0.2, 400), rng.normal(0.5, 0.2, 400)
    one = compared(model("a", ours.tolist()), model("b", theirs.tolist()))
    error = 100 * (ours - theirs).std() / 20
    assert one.high - one.difference == pytest.approx(1.96 * error, rel=0.15)
    assert one.difference - one.low == pytest.approx(1.96 * error, rel=0.15)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.3, 1.0]), min_size=1, max_size=40), st.integers(0, 9))
def test_exchanging_the_models_turns_the_sign(values: list[float], seed: int) -> None:
    first, second = model("a", values), model("b", values[::-1])
    (there,) = differences(first, second, METRICS, seed=seed, num_samples=50).found
    (back,) = differences(second, first, METRICS, seed=seed, num_samples=50).found
    assert there.difference == -back.difference
    assert (there.low, there.high) == (pytest.approx(-back.high), pytest.approx(-back.low))


def test_a_model_does_not_differ_from_itself() -> None:
    one = compared(model("a", [0.0, 1.0] * 20), model("b", [0.0, 1.0] * 20))
    assert (one.difference, one.is_decided) == (0, False)


def test_few_queries_decide_nothing() -> None:
    found = differences(model("a", [0.9] * 5), model("b", [0.1] * 5), METRICS)
    assert not found.found[0].is_decided
    assert "Fewer than 20 queries decide nothing: coco 4 shots." in difference_notes(found)


def test_a_score_that_is_no_mean_is_compared_as_well() -> None:
    def rated(name: str, scores: Sequence[float]) -> Evaluated:
        outcomes = {
            str(i): Outcome("yes", (("yes", "no")[i % 2],), (("yes", score), ("no", 0.0)))
            for i, score in enumerate(scores)
        }
        cells = (cell("coco", 4, 50.0, metric="ROC AUC"),)
        return Evaluated(name, cells, {KEY: outcomes})

    first = rated("a", [1.0 if i % 2 == 0 else -1.0 for i in range(40)])
    second = rated("b", [0.5] * 40)
    metrics = {"coco": RocAuc()}
    (one,) = differences(first, second, metrics).found
    assert (one.first, one.second) == (100, 50)
    assert one.is_decided
    # Only one class is left of it.
    half = {query: outcome for query, outcome in first.outcomes[KEY].items() if int(query) % 2}
    told = differences(replace(first, outcomes={KEY: half}), second, metrics).impossible[KEY]
    assert told.startswith("ROC AUC compares outcomes")


def test_what_cannot_be_compared_is_told() -> None:
    first, second = model("a", [1.0]), model("b", [1.0], start=5)

    def told(one: Evaluated, other: Evaluated) -> str:
        return differences(one, other, METRICS).impossible[KEY]

    assert told(first, second) == "no query was answered by both"
    assert told(first, replace(second, cells=())) == "b has no score there"
    assert told(replace(second, cells=()), first) == "b has no score there"
    assert told(first, replace(second, outcomes={})) == "the single answers of b are not known"
    assert differences(first, second, {}).impossible[KEY] == "no metric is given for coco"
    other = replace(second, cells=(cell("coco", 4, 100.0, metric="CIDEr"),))
    assert difference_notes(differences(first, other, METRICS))[-1] == (
        "Not compared, as b was scored by CIDEr and not by worth: coco 4 shots."
    )


def test_different_queries_of_one_id_are_told() -> None:
    first, second = model("a", [1.0]), model("b", [1.0])
    second = replace(second, outcomes={KEY: {"0": Outcome("1.0", ("other",))}})
    told = differences(first, second, METRICS).impossible[KEY]
    assert "different queries" in told


def test_one_name_for_two_models_is_refused() -> None:
    one = model("a", [1.0])
    with pytest.raises(ConfigError, match="Both models are called 'a'"):
        differences(one, one, METRICS)
    with pytest.raises(ConfigError, match="Several models are called 'a'"):
        comparison_rows([one, one])


MODELS = [
    Evaluated(
        "big",
        (cell("new", 0, 40.0), cell("coco", 0, 60.0), cell("coco", 4, 80.0), cell("new", 4, 50.0)),
    ),
    Evaluated("small", (cell("coco", 0, 60.04), cell("new", 0, 30.0), cell("coco", 4, 70.0))),
]


def test_the_table_has_a_row_per_model_and_shots() -> None:
    header, *rows = comparison_rows(MODELS)
    assert header == [
        "model",
        "shots",
        "coco (dev)",
        "new (held out)",
        "mean dev",
        "mean held out",
        "mean",
    ]
    assert [row[:2] for row in rows] == [["big", "0"], ["big", "4"], ["small", "0"], ["small", "4"]]
    assert rows[0][2:] == ["60.0", "40.0", "60.0", "40.0*", "50.0"]
    assert rows[1][2:] == ["80.0*", "50.0*", "80.0*", "", "80.0*"]
    assert rows[3][2:] == ["70.0", "", "70.0", "", "70.0"]


def test_means_are_over_the_tasks_that_all_have() -> None:
    assert comparison_notes(MODELS)[-1] == (
        "Means are over the tasks that all models have: at 0 shots coco, new; at 4 shots coco."
    )
    assert len(comparison_notes(MODELS[:1])) == 1


def test_equal_best_scores_are_both_in_bold() -> None:
    rows = comparison_rows([replace(one, cells=one.cells[:2]) for one in MODELS], is_markdown=True)
    assert [row[2] for row in rows[1:]] == ["**60.0**", "**60.0**"]


def test_differences_name_the_better_model_and_count_what_was_left_out() -> None:
    decided = CellDifference("coco", 4, "none", 50.0, 40.0, 5.0, 15.04, 0.002, 30, 10)
    open_ = replace(decided, control="blank", low=-0.5, p_value=0.07, num_left_out=0)
    pair = Differences("a", "b", (decided, open_), {})
    first, second = difference_rows(pair)[1:]
    assert first == ["coco", "", "a", "4", "50.0", "40.0", "+10.0", "+5.0 to +15.0", "<0.01", "30"]
    assert second[1:3] == ["blank", "undecided"]
    assert "Left out are 10 queries" in difference_notes(pair)[1]
    text = comparison_markdown(MODELS, [pair])
    assert "## a and b" in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} == {8, 11}

"""Cells and runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.evaluation.cell import Cell, wilson_interval
from flamingo.evaluation.runner import evaluate
from flamingo.miniature.tasks import task_named
from tests.tiny_predictor import tiny_predictor


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share_and_stays_in_range(pair: tuple[int, int]) -> None:
    right, n = pair
    low, high = wilson_interval(right, n)
    assert 0 <= low <= right / n <= high <= 1
    assert high - low > 0


def test_guessing_is_worth_nothing_above_chance() -> None:
    cell = Cell.of("t", held_out=True, shots=4, metric="accuracy", right=25, n=100, chance=0.25)
    assert cell.above_chance == pytest.approx(0)
    assert (cell.score, cell.chance) == (25, 25)


@pytest.mark.parametrize("name", ["new-word-2", "caption"])
def test_a_run_keeps_every_prediction_and_can_be_repeated(name: str) -> None:
    predictor, task = tiny_predictor(), task_named(name)
    cell, found = evaluate(predictor, task, num_shots=2, num_queries=5, batch_size=2)
    again, other = evaluate(predictor, task, num_shots=2, num_queries=5, batch_size=5)
    assert cell == again
    assert [p.prediction for p in found] == [p.prediction for p in other]
    assert [p.index for p in found] == list(range(5))
    assert cell.n == 5

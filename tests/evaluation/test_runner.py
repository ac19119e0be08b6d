"""Cells and runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.evaluation.cell import above_chance, wilson_interval
from flamingo.foundation.randomness import generator
from flamingo.inference.predictor import Predictor
from flamingo.miniature.tasks import task_named
from tests.evaluation.cells_for_tests import answers
from tests.evaluation.toy_task import ToyTask
from tests.tiny_predictor import tiny_predictor


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share_and_stays_in_range(pair: tuple[int, int]) -> None:
    right, n = pair
    low, high = wilson_interval(right, n)
    assert 0 <= low <= right / n <= high <= 1
    assert high - low > 0


def test_guessing_is_worth_nothing_above_chance() -> None:
    assert above_chance(25.0, 25.0) == pytest.approx(0)
    assert above_chance(100.0, 25.0) == pytest.approx(100)


@pytest.mark.parametrize("name", ["new-word-2", "caption"])
def test_a_run_keeps_every_prediction_and_can_be_repeated(name: str) -> None:
    predictor, task = tiny_predictor(), task_named(name)
    found = answers(predictor, task, num_shots=2, num_queries=5, batch_size=2)
    other = answers(predictor, task, num_shots=2, num_queries=5, batch_size=5)
    assert [p.prediction for p in found] == [p.prediction for p in other]
    assert [p.index for p in found] == list(range(5))


def test_candidates_are_scored_in_several_orders_of_the_shots() -> None:
    predictor, task = tiny_predictor(), ToyTask()
    once = answers(predictor, task, num_shots=4, num_queries=3)
    thrice = answers(predictor, task, num_shots=4, num_queries=3, num_orders=3)
    assert [p.labels for p in once] == [p.labels for p in thrice]
    alone = [_in_order(predictor, task, 0, order) for order in range(3)]
    for name, score in thrice[0].candidates:
        assert score == pytest.approx(sum(own[name] for own in alone) / 3, abs=1e-4)
    assert alone[0] == pytest.approx(dict(once[0].candidates), abs=1e-4)
    assert alone[1] != pytest.approx(alone[0], abs=1e-6)
    words = ToyTask("words", is_open=True)
    assert answers(predictor, words, num_shots=4, num_queries=3, num_orders=3) == answers(
        predictor, words, num_shots=4, num_queries=3
    )


def _in_order(predictor: Predictor, task: ToyTask, index: int, order: int) -> dict[str, float]:
    episode = task.build(0, index, 4)
    places = np.arange(4)
    if order:
        key = ("order of the shots", order, task.name, 0, index)
        places = generator(*key).permutation(4)
    shuffled = replace(episode, supports=tuple(episode.supports[place] for place in places))
    answer = predictor.choose(task.prompt(shuffled), episode.candidates, task.template)
    return dict(answer.choices)

"""Cells of accuracy, and predictions of a few queries without a folder."""

from __future__ import annotations

from typing import Any

from flamingo.evaluation.cell import Cell, above_chance, wilson_interval
from flamingo.evaluation.prediction import Prediction
from flamingo.evaluation.runner import ask
from flamingo.evaluation.task import Task
from flamingo.inference.predictor import Predictor


def accuracy_cell(
    task: str,
    *,
    held_out: bool,
    shots: int,
    right: int,
    n: int,
    chance: float,
    control: str = "none",
) -> Cell:
    low, high = wilson_interval(right, n)
    return Cell(
        task=task,
        held_out=held_out,
        shots=shots,
        control=control,
        metric="accuracy",
        score=100 * right / n,
        low=100 * low,
        high=100 * high,
        n=n,
        chance=100 * chance,
        above_chance=above_chance(100 * right / n, 100 * chance),
    )


def answers(
    predictor: Predictor,
    task: Task[Any],
    *,
    num_shots: int,
    num_queries: int,
    batch_size: int = 16,
    seed: int = 0,
    num_orders: int = 1,
) -> list[Prediction]:
    found: list[Prediction] = []
    for start in range(0, num_queries, batch_size):
        found += ask(
            predictor,
            task,
            range(start, min(start + batch_size, num_queries)),
            num_shots=num_shots,
            seed=seed,
            control="none",
            num_orders=num_orders,
            memory=predictor.visual_memory(),
        )
    return found

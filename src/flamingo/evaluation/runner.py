"""Asks a model every query of a task, and keeps every prediction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

from flamingo.evaluation.cell import Cell
from flamingo.inference.predictor import Predictor
from flamingo.prompting import Template
from flamingo.sequence import Interleaved


@runtime_checkable
class Episode(Protocol):
    """A support set with its query."""

    @property
    def answer(self) -> str:
        """What is right."""

    @property
    def candidates(self) -> tuple[str, ...]:
        """The answers to choose from; none if the answer is open."""


E = TypeVar("E", bound=Episode)


@runtime_checkable
class Task(Protocol[E]):
    """What the runner needs to know of a task."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def is_held_out(self) -> bool:
        """Whether it was kept out of training and of every choice."""

    @property
    def chance(self) -> float:
        """The share that guessing gets right."""

    @property
    def template(self) -> Template:
        """How an example is written."""

    @property
    def build(self) -> Callable[[int, int, int], E]:
        """Seed, index and number of shots give an episode, always the same one."""

    def prompt(self, episode: E) -> Interleaved:
        """The episode as the model reads it."""


@dataclass(frozen=True)
class Prediction:
    """One answer of the model beside the right one."""

    task: str
    shots: int
    index: int
    prediction: str
    answer: str
    is_right: bool
    score: float


def evaluate(
    predictor: Predictor,
    task: Task[E],
    *,
    num_shots: int,
    num_queries: int,
    seed: int = 0,
    batch_size: int = 16,
    max_new_tokens: int = 10,
    progress: Callable[[int], object] = lambda done: None,
) -> tuple[Cell, list[Prediction]]:
    """Accuracy of exact answers over `num_queries` queries.

    Close-ended queries are answered by the likeliest candidate, open-ended ones by beam search.

    Paper: Sec. 3.1, App. B.1.5.
    """
    predictions: list[Prediction] = []
    for start in range(0, num_queries, batch_size):
        indices = range(start, min(start + batch_size, num_queries))
        episodes = [task.build(seed, index, num_shots) for index in indices]
        found = _answers(predictor, task, episodes, max_new_tokens)
        predictions += [
            Prediction(task.name, num_shots, index, text, episode.answer, text == episode.answer, s)
            for index, episode, (text, s) in zip(indices, episodes, found, strict=True)
        ]
        progress(len(episodes))
    cell = Cell.of(
        task.name,
        held_out=task.is_held_out,
        shots=num_shots,
        metric="accuracy",
        right=sum(prediction.is_right for prediction in predictions),
        n=len(predictions),
        chance=task.chance,
    )
    return cell, predictions


def _answers(
    predictor: Predictor, task: Task[E], episodes: Sequence[E], max_new_tokens: int
) -> list[tuple[str, float]]:
    """Text and score for each episode; those without candidates are asked as one batch."""
    written = [task.prompt(episode) for episode in episodes if not episode.candidates]
    opened = iter(predictor.complete(written, max_new_tokens=max_new_tokens) if written else ())
    answers = []
    for episode in episodes:
        if episode.candidates:
            answer = predictor.choose(task.prompt(episode), episode.candidates, task.template)
        else:
            answer = next(opened)
        answers.append((answer.text, answer.score))
    return answers

"""Asks a model the queries of a task, and keeps every prediction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flamingo.evaluation.cell import Cell
from flamingo.evaluation.controls import NONE, controlled
from flamingo.evaluation.task import E, Task
from flamingo.inference.predictor import Answer, Predictor
from flamingo.inference.visual_memory import VisualMemory
from flamingo.sequence import mark_up

MAX_NEW_TOKENS = 20
_VISUALS_AT_ONCE = 256
"""Visuals in one pass of the language model: their keys and values, of all layers, are kept."""


@dataclass(frozen=True)
class Prediction:
    """One answer of the model beside the right one, with all that it was asked.

    Attributes:
        task: name of the task.
        shots: supports in the prompt.
        control: what was taken away from the episode, see `controls`.
        index: the query's number; the same query at every number of shots.
        prediction: the model's answer.
        reference: the right answer.
        is_right: whether they are equal.
        score: log-likelihood of the answer.
        candidates: log-likelihood of each candidate, in the task's order; none if it is open.
        labels: the supports' answers, in the order of the prompt.
        prompt: the text as the model reads it, a tag where a visual stands.
    """

    task: str
    shots: int
    control: str
    index: int
    prediction: str
    reference: str
    is_right: bool
    score: float
    candidates: tuple[tuple[str, float], ...]
    labels: tuple[str, ...]
    prompt: str


def evaluate(
    predictor: Predictor,
    task: Task[E],
    *,
    num_shots: int,
    num_queries: int,
    seed: int = 0,
    control: str = NONE,
    batch_size: int = 16,
    max_new_tokens: int = MAX_NEW_TOKENS,
    progress: Callable[[int], object] = lambda done: None,
) -> tuple[Cell, list[Prediction]]:
    """Accuracy of exact answers over `num_queries` queries.

    Close-ended queries are answered by the likeliest candidate, open-ended ones by beam search.

    Paper: Sec. 3.1, App. B.1.5.
    """
    predictions: list[Prediction] = []
    for start in range(0, num_queries, batch_size):
        indices = range(start, min(start + batch_size, num_queries))
        predictions += ask(
            predictor,
            task,
            indices,
            num_shots=num_shots,
            seed=seed,
            control=control,
            max_new_tokens=max_new_tokens,
            memory=predictor.visual_memory(),
        )
        progress(len(indices))
    cell = Cell.of(
        task.name,
        held_out=task.is_held_out,
        shots=num_shots,
        control=control,
        metric="accuracy",
        right=sum(prediction.is_right for prediction in predictions),
        n=len(predictions),
        chance=task.chance_at(num_shots),
    )
    return cell, predictions


def ask(
    predictor: Predictor,
    task: Task[E],
    indices: Sequence[int],
    *,
    num_shots: int,
    seed: int,
    control: str,
    max_new_tokens: int,
    memory: VisualMemory,
) -> list[Prediction]:
    """The predictions for some queries of a task, as one batch or a few."""
    episodes = [
        controlled(
            task.build(seed, index, num_shots),
            control,
            task.template,
            seed=seed,
            task=task.name,
            index=index,
        )
        for index in indices
    ]
    # All at once, in pieces of one size: what a visual becomes does not hang on the batch below.
    memory.see(visual for episode in episodes for visual in task.prompt(episode).visuals)
    num_rows = max(1, _VISUALS_AT_ONCE // (num_shots + 1))
    answers: list[Answer] = []
    for start in range(0, len(episodes), num_rows):
        rows = episodes[start : start + num_rows]
        answers += _answers(predictor, task, rows, max_new_tokens, memory)
    return [
        _prediction(predictor, task, episode, answer, (num_shots, control, index))
        for index, episode, answer in zip(indices, episodes, answers, strict=True)
    ]


def _answers(
    predictor: Predictor,
    task: Task[E],
    episodes: Sequence[E],
    max_new_tokens: int,
    memory: VisualMemory,
) -> list[Answer]:
    """The answers of those with candidates and of those without, each kind as one batch."""
    closed = [episode for episode in episodes if episode.candidates]
    opened = [task.prompt(episode) for episode in episodes if not episode.candidates]
    choices = [episode.candidates for episode in closed]
    prompts = [task.prompt(episode) for episode in closed]
    chosen = iter(
        predictor.choose_all(prompts, choices, task.template, memory=memory) if closed else ()
    )
    written = iter(
        predictor.complete(opened, max_new_tokens=max_new_tokens, memory=memory) if opened else ()
    )
    return [next(chosen if episode.candidates else written) for episode in episodes]


def _prediction(
    predictor: Predictor, task: Task[E], episode: E, answer: Answer, place: tuple[int, str, int]
) -> Prediction:
    num_shots, control, index = place
    markup = predictor.encoder.prepared.markup
    scores = dict(answer.choices)
    return Prediction(
        task=task.name,
        shots=num_shots,
        control=control,
        index=index,
        prediction=answer.text,
        reference=episode.answer,
        is_right=answer.text == episode.answer,
        score=answer.score,
        candidates=tuple((text, scores[text]) for text in episode.candidates),
        labels=tuple(support.fields[task.template.answer] for support in episode.supports),
        prompt=mark_up(task.prompt(episode), markup, is_complete=False).text,
    )

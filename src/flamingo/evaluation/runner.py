"""Asks a model the queries of a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flamingo.evaluation.controls import controlled
from flamingo.evaluation.prediction import Prediction
from flamingo.evaluation.task import DamagedQuery, E, Task
from flamingo.foundation.randomness import generator
from flamingo.inference.predictor import Answer, Predictor
from flamingo.inference.visual_memory import VisualMemory
from flamingo.sequence import Interleaved, mark_up

_VISUALS_AT_ONCE = 256
"""Visuals in one pass of the language model: their keys and values, of all layers, are kept."""


def ask(
    predictor: Predictor,
    task: Task[E],
    indices: Sequence[int],
    *,
    num_shots: int,
    seed: int,
    control: str,
    num_orders: int = 1,
    max_new_tokens: int | None = None,
    memory: VisualMemory,
) -> list[Prediction]:
    """The predictions for some queries of a task, as one batch or a few.

    Close-ended queries are answered by the likeliest candidate, open-ended ones by beam search.

    Args:
        predictor: the model.
        task: the task.
        indices: numbers of the queries.
        num_shots: supports in each prompt.
        seed: of queries and supports.
        control: what is taken away, see `controls`.
        num_orders: of the supports, over which the log-likelihoods of candidates are averaged;
            an open-ended query is asked in the first order alone.
        max_new_tokens: an open answer that is longer is cut; by default at the task's length.
        memory: knows what was seen before.

    Raises:
        DamagedQuery: a file is missing or damaged, and the task does not leave its query out.

    Paper: Sec. 3.1, App. B.1.5; for the orders, prompt ensembling in App. A.2.
    """
    numbered: list[tuple[int, E]] = []
    left_out: dict[int, Prediction] = {}
    for index in indices:
        try:
            episode = task.build(seed, index, num_shots)
        except DamagedQuery as error:
            if not (task.skips_damaged and error.is_own):
                raise
            place = (task.name, num_shots, control, index)
            left_out[index] = Prediction.of_damaged(place, str(error).split("\n")[0])
            continue
        episode = controlled(
            episode, control, task.template, seed=seed, task=task.name, index=index
        )
        numbered.append((index, episode))
    # All at once, in pieces of one size: what a visual becomes does not hang on the batch below.
    memory.see(visual for _, one in numbered for visual in task.prompt(one).visuals)
    num_rows = max(1, _VISUALS_AT_ONCE // (num_shots + 1))
    found: dict[int, Answer] = {}
    for rows in _pieces(numbered, task, num_rows):
        orders = [
            [(i, _reordered(one, order, (task.name, seed, i))) for i, one in rows]
            for order in range(num_orders if rows[0][1].candidates else 1)
        ]
        answers = [
            _answers(predictor, task, [one for _, one in own], max_new_tokens, memory)
            for own in orders
        ]
        for number, (index, _) in enumerate(rows):
            found[index] = _averaged([own[number] for own in answers])
    answered = {
        index: _prediction(predictor, task, episode, found[index], (num_shots, control, index))
        for index, episode in numbered
    }
    return [(answered | left_out)[index] for index in indices]


def _pieces(
    numbered: Sequence[tuple[int, E]], task: Task[E], num_rows: int
) -> list[list[tuple[int, E]]]:
    """Batches of one kind, with and without candidates, each of prompts of about one length."""

    def length(pair: tuple[int, E]) -> int:
        return len(task.prompt(pair[1]).text)

    pieces = []
    for is_closed in (True, False):
        own = [pair for pair in numbered if bool(pair[1].candidates) == is_closed]
        if len(own) > num_rows:
            own.sort(key=length)
        pieces += [own[start : start + num_rows] for start in range(0, len(own), num_rows)]
    return pieces


def _reordered(episode: Any, order: int, key: tuple[str, int, int]) -> Any:
    """The episode with its supports in another order; the first order is its own."""
    if order == 0:
        return episode
    places = generator("order of the shots", order, *key).permutation(len(episode.supports))
    return replace(episode, supports=tuple(episode.supports[place] for place in places))


def _averaged(answers: Sequence[Answer]) -> Answer:
    """The answer after the mean of each candidate's log-likelihood, best first."""
    if len(answers) == 1:
        return answers[0]
    each = [dict(answer.choices) for answer in answers]
    means = {name: sum(own[name] for own in each) / len(each) for name in each[0]}
    ranked = sorted(means.items(), key=lambda pair: -pair[1])
    return Answer(*ranked[0], choices=tuple(ranked))


def _answers(
    predictor: Predictor,
    task: Task[E],
    episodes: Sequence[E],
    max_new_tokens: int | None,
    memory: VisualMemory,
) -> list[Answer]:
    """The answers to episodes which all have candidates, or of which none has."""
    prompts: list[Interleaved] = [task.prompt(episode) for episode in episodes]
    if episodes[0].candidates:
        candidates = [episode.candidates for episode in episodes]
        return predictor.choose_all(prompts, candidates, task.template, memory=memory)
    length = max_new_tokens or task.max_new_tokens
    return predictor.complete(prompts, max_new_tokens=length, memory=memory)


def _prediction(
    predictor: Predictor, task: Task[E], episode: E, answer: Answer, cell: tuple[int, str, int]
) -> Prediction:
    num_shots, control, index = cell
    markup = predictor.encoder.prepared.markup
    scores = dict(answer.choices)
    text = answer.text if episode.candidates else task.read_answer(answer.text)
    return Prediction(
        task=task.name,
        shots=num_shots,
        control=control,
        index=index,
        query=episode.query_id,
        prediction=text,
        references=episode.references,
        score=answer.score,
        candidates=tuple((name, scores[name]) for name in episode.candidates),
        supports=episode.support_ids,
        labels=tuple(example.fields[task.template.answer] for example in episode.supports),
        prompt=mark_up(task.prompt(episode), markup, is_complete=False).text,
        details=episode.details,
    )

"""What every few-shot episode is made of, whatever its pictures show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flamingo.foundation.randomness import generator
from flamingo.miniature.names import HELD_OUT_NAMES
from flamingo.prompting.few_shot import Example
from flamingo.sequence.visual import Visual


@dataclass(frozen=True)
class FewShotEpisode:
    """Annotated examples and a query.

    Args:
        supports: examples with their answers, in the order of the prompt.
        query: an example without an answer.
        answer: what should follow the query.
        candidates: the answers to choose from; empty where there is no list of them.
        query_id: its name; an episode that is drawn anew needs none.
        support_ids: theirs.
        details: what a metric needs besides; nothing here.
    """

    supports: tuple[Example, ...]
    query: Example
    answer: str
    candidates: tuple[str, ...] = ()
    query_id: str = ""
    support_ids: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def references(self) -> tuple[str, ...]:
        """All that is right."""
        return (self.answer,)


EpisodeBuilder = Callable[[int, int, int], FewShotEpisode]
"""Seed, index and number of shots give the episode."""

Labeled = tuple[Visual, str, dict[str, str]]
"""What one example shows, its answer, and further fields of its template."""


def assemble(
    supports: list[Labeled], query: Labeled, candidates: tuple[str, ...], *, answer_field: str
) -> FewShotEpisode:
    """The episode of these examples."""
    visual, answer, fields = query
    return FewShotEpisode(
        supports=tuple(
            Example((seen,), {**other, answer_field: said}) for seen, said, other in supports
        ),
        query=Example((visual,), fields),
        answer=answer,
        candidates=candidates,
    )


def independent_episode(
    key: str,
    draw_one: Callable[[np.random.Generator], Labeled],
    candidates: tuple[str, ...] = (),
    answer_field: str = "output",
) -> EpisodeBuilder:
    """Episodes whose examples have nothing in common but the task."""

    def build(seed: int, index: int, num_shots: int) -> FewShotEpisode:
        shots = [draw_one(generator(key, seed, index, "shot", i)) for i in range(num_shots)]
        query = draw_one(generator(key, seed, index, "query"))
        return assemble(shots, query, candidates, answer_field=answer_field)

    return build


def naming_episode(
    key: str,
    num_ways: int,
    choose_classes: Callable[[np.random.Generator, int], list[Callable[..., Visual]]],
) -> EpisodeBuilder:
    """Episodes that bind held-out names to classes of visuals.

    Every `num_ways` shots show each class once, in random order.

    Args:
        key: keeps the random numbers of different tasks apart.
        num_ways: how many classes.
        choose_classes: gives for each class of an episode a function that draws one of its
            visuals from a generator and a number, which differs from example to example.
    """

    def build(seed: int, index: int, num_shots: int) -> FewShotEpisode:
        rng = generator(key, seed, index, "classes")
        chosen = rng.choice(len(HELD_OUT_NAMES), size=num_ways, replace=False)
        names = tuple(HELD_OUT_NAMES[i] for i in chosen)
        classes = choose_classes(rng, num_ways)
        asked = int(rng.integers(num_ways))
        num_rounds = -(-num_shots // num_ways)
        order = [int(k) for _ in range(num_rounds) for k in rng.permutation(num_ways)][:num_shots]
        supports: list[Labeled] = [
            (classes[k](generator(key, seed, index, "shot", i), i + 1), names[k], {})
            for i, k in enumerate(order)
        ]
        query: Labeled = (classes[asked](generator(key, seed, index, "query"), 0), names[asked], {})
        return assemble(supports, query, names, answer_field="output")

    return build

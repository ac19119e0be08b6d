"""A task of noise in a color, and the tiny model that is asked, as processes load them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from flamingo import Predictor, Visual
from flamingo.evaluation.task import Task
from flamingo.foundation.randomness import generator
from flamingo.prompting import CAPTION, Example, Template, few_shot_prompt
from flamingo.sequence import Interleaved
from tests.tiny_predictor import tiny_predictor

COLORS = {"red": (200, 0, 0), "green": (0, 200, 0), "blue": (0, 0, 200)}


@dataclass(frozen=True)
class ToyEpisode:
    supports: tuple[Example, ...]
    query: Example
    answer: str
    candidates: tuple[str, ...] = ()
    query_id: str = ""
    support_ids: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def references(self) -> tuple[str, ...]:
        return (self.answer,)


@dataclass(frozen=True)
class ToyTask:
    name: str = "colors"
    is_held_out: bool = False
    is_open: bool = False
    num_frames: int = 1
    chance: float = 1 / 3
    template: Template = CAPTION
    metric: str = "accuracy"
    is_scored: bool = True
    num_queries: int | None = None
    max_shots: int | None = None
    max_new_tokens: int = 20
    skips_damaged: bool = False
    identity: str = ""

    @property
    def build(self) -> Callable[[int, int, int], ToyEpisode]:
        return self._build

    def _build(self, seed: int, index: int, num_shots: int) -> ToyEpisode:
        query, answer = self._drawn(seed, index, -1)
        drawn = [self._drawn(seed, index, shot) for shot in range(num_shots)]
        supports = tuple(Example((seen,), {"output": word}) for seen, word in drawn)
        # Other candidates in other episodes: two or three of them.
        others = [color for color in COLORS if color != answer]
        choices = () if self.is_open else (answer, *others[: 1 + index % 2])
        return ToyEpisode(supports, Example((query,)), answer, choices)

    def _drawn(self, seed: int, index: int, shot: int) -> tuple[Visual, str]:
        rng = generator("toy", self.name, seed, index, shot)
        word = list(COLORS)[int(rng.integers(len(COLORS)))]
        noise = rng.integers(0, 56, (self.num_frames, 16, 16, 3))
        return Visual((noise + COLORS[word]).astype(np.uint8)), word

    def chance_at(self, num_shots: int) -> float:
        return self.chance

    def shared_visuals(self) -> tuple[Visual, ...]:
        return ()

    def read_answer(self, text: str) -> str:
        return text

    def prompt(self, episode: ToyEpisode) -> Interleaved:
        return few_shot_prompt(episode.supports, episode.query, self.template)


TASKS = (ToyTask(), ToyTask("clips", True, num_frames=2), ToyTask("words", is_open=True))


def bench() -> tuple[Predictor, Mapping[str, Task]]:
    return tiny_predictor(), {task.name: task for task in TASKS}

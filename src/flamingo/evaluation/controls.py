"""Episodes from which one thing is taken away, to show that the model had used it.

A score that stays where it is without the pictures was never about them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from flamingo.evaluation.task import E
from flamingo.foundation.errors import ConfigError, nearest
from flamingo.foundation.randomness import generator
from flamingo.prompting import Example, Template
from flamingo.sequence import Visual

NONE = "none"
GRAY = 128


def controlled(
    episode: E, control: str, template: Template, *, seed: int, task: str, index: int
) -> E:
    """The episode under a control, always the same one for the same arguments.

    Args:
        episode: a dataclass; it is not changed.
        control: "none", "blank", "shuffled-images" or "shuffled-labels".
        template: tells which field of a support is its answer.
        seed: of the evaluation.
        task: the task's name.
        index: the episode's number.

    Raises:
        ConfigError: there is no such control.
    """
    key = ("control", control, seed, task, index, len(episode.supports))
    return _CONTROLS[checked_control(control)](episode, template, generator(*key))


def checked_control(name: str) -> str:
    """The name, if there is such a control.

    Raises:
        ConfigError: there is none.
    """
    if name not in _CONTROLS:
        raise ConfigError(f"There is no control {name!r}. {nearest(name, _CONTROLS)}")
    return name


def applies(control: str, num_shots: int) -> bool:
    """Whether a control changes anything: what is shuffled must be at least two."""
    return num_shots >= 2 or control in (NONE, "blank")


def _unchanged(episode: Any, template: Template, rng: np.random.Generator) -> Any:
    return episode


def _blank(episode: Any, template: Template, rng: np.random.Generator) -> Any:
    """Every picture and clip, the query's too, becomes uniform gray of the same shape."""

    def blank(example: Example) -> Example:
        return replace(example, visuals=tuple(_gray(v.frames.shape) for v in example.visuals))

    supports = tuple(blank(example) for example in episode.supports)
    return replace(episode, supports=supports, query=blank(episode.query))


def _shuffled_images(episode: Any, template: Template, rng: np.random.Generator) -> Any:
    """Each support that shows something shows what another one did; the query keeps its own.

    With few shots of few names this does more harm than chance: of two supports, both are wrong.
    """
    showing = [i for i, example in enumerate(episode.supports) if example.visuals]
    supports = list(episode.supports)
    for i, other in zip(showing, derangement(len(showing), rng), strict=True):
        visuals = episode.supports[showing[other]].visuals
        supports[i] = replace(episode.supports[i], visuals=visuals)
    return replace(episode, supports=tuple(supports))


def _shuffled_labels(episode: Any, template: Template, rng: np.random.Generator) -> Any:
    """The supports' answers in any order, the right one too: they say nothing of the pictures."""
    answers = [example.fields[template.answer] for example in episode.supports]
    supports = tuple(
        replace(example, fields={**example.fields, template.answer: answers[other]})
        for example, other in zip(episode.supports, rng.permutation(len(answers)), strict=True)
    )
    return replace(episode, supports=supports)


_CONTROLS: Mapping[str, Callable[[Any, Template, np.random.Generator], Any]] = {
    NONE: _unchanged,
    "blank": _blank,
    "shuffled-images": _shuffled_images,
    "shuffled-labels": _shuffled_labels,
}
CONTROLS = tuple(_CONTROLS)


def derangement(size: int, rng: np.random.Generator) -> list[int]:
    """A random order in which nothing stays in its place, all such orders equally likely.

    A single thing has to stay.
    """
    while True:
        # About one order in e is a derangement, so this ends soon.
        order = [int(i) for i in rng.permutation(size)]
        if size < 2 or all(place != i for place, i in enumerate(order)):
            return order


@lru_cache(maxsize=16)
def _gray(shape: tuple[int, ...]) -> Visual:
    return Visual(np.full(shape, GRAY, np.uint8))

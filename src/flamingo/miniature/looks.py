"""Looks to talk about: scenes and clips drawn at random under the conditions that a text needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np

from flamingo.miniature.scene import (
    COLORS,
    HELD_OUT_PAIRS,
    SHAPES,
    Clip,
    Pairs,
    Scene,
    Thing,
    arrange,
    random_clip,
    random_thing,
)

Look: TypeAlias = Scene | Clip
Pair: TypeAlias = tuple[str, str]

_ALL_PAIRS: tuple[Pair, ...] = tuple((color, shape) for color in COLORS for shape in SHAPES)
PAIRS: dict[Pairs, tuple[Pair, ...]] = {
    "train": tuple(pair for pair in _ALL_PAIRS if pair not in HELD_OUT_PAIRS),
    "held_out": tuple(pair for pair in _ALL_PAIRS if pair in HELD_OUT_PAIRS),
}
"""The (color, shape) pairs of either side of the split."""


def scene_of(look: Look) -> Scene:
    """The things of a look, without their motion."""
    return look.scene if isinstance(look, Clip) else look


def choose_pairs(rng: np.random.Generator, num: int, pairs: Pairs = "train") -> list[Pair]:
    """Different (color, shape) pairs."""
    return [PAIRS[pairs][i] for i in rng.permutation(len(PAIRS[pairs]))[:num]]


def single(rng: np.random.Generator, pair: Pair | None = None, pairs: Pairs = "train") -> Scene:
    """A scene of one thing; its color and shape are `pair`, the rest is free."""
    thing = random_thing(rng, pairs=pairs)
    return arrange(rng, (_with_pair(thing, pair) if pair else thing,))


def single_with(rng: np.random.Generator, field: str, value: str, pairs: Pairs = "train") -> Scene:
    """A scene of one thing whose color or shape (`field`) is `value`."""
    fitting = [pair for pair in PAIRS[pairs] if pair[field == "shape"] == value]
    return single(rng, fitting[rng.integers(len(fitting))])


def several(rng: np.random.Generator, num_things: int, pairs: Pairs = "train") -> Scene:
    """A scene of things of different (color, shape) pairs."""
    chosen = choose_pairs(rng, num_things, pairs)
    return arrange(rng, [_with_pair(random_thing(rng), pair) for pair in chosen])


def counted(rng: np.random.Generator, num_things: int, pairs: Pairs = "train") -> Scene:
    """A scene of things of one (color, shape) pair, to be counted."""
    pair = choose_pairs(rng, 1, pairs)[0]
    return arrange(rng, [_with_pair(random_thing(rng), pair) for _ in range(num_things)])


def any_scene(rng: np.random.Generator) -> Scene:
    """A training scene of one thing, of several different ones, or of some to be counted."""
    draw = rng.random()
    if draw < 0.55:
        return single(rng)
    if draw < 0.8:
        return several(rng, int(rng.integers(2, 4)))
    return counted(rng, int(rng.integers(2, 5)))


def any_look(rng: np.random.Generator) -> Look:
    """A training scene, or now and then a clip."""
    return random_clip(rng) if rng.random() < 0.1 else any_scene(rng)


def _with_pair(thing: Thing, pair: Pair) -> Thing:
    return replace(thing, color=pair[0], shape=pair[1])

"""Looks to talk about: scenes and clips drawn at random under the conditions that a text needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from flamingo.miniature.names import TRAIN_NAMES
from flamingo.miniature.scene import (
    COLORS,
    HELD_OUT_PAIRS,
    SHAPES,
    Clip,
    Pairs,
    Scene,
    Succession,
    Thing,
    arrange,
    random_clip,
    random_succession,
    random_thing,
)
from flamingo.miniature.signs import Sign


@dataclass(frozen=True)
class Character:
    """A character of an invented alphabet; no words describe it.

    Args:
        alphabet: names the alphabet.
        number: which of its characters.
    """

    alphabet: int
    number: int


Describable: TypeAlias = Scene | Clip | Succession | Sign
Look: TypeAlias = Describable | Character
Pair: TypeAlias = tuple[str, str]
OfSeveral: TypeAlias = Callable[[np.random.Generator, int], Scene]

ALL_PAIRS: tuple[Pair, ...] = tuple((color, shape) for color in COLORS for shape in SHAPES)
PAIRS: dict[Pairs, tuple[Pair, ...]] = {
    "train": tuple(pair for pair in ALL_PAIRS if pair not in HELD_OUT_PAIRS),
    "held_out": tuple(pair for pair in ALL_PAIRS if pair in HELD_OUT_PAIRS),
}
"""The (color, shape) pairs of either side of the split."""


def scene_of(look: Look) -> Scene:
    """The things of a scene or of a moving thing's clip, without their motion."""
    if isinstance(look, Scene | Clip):
        return look.scene if isinstance(look, Clip) else look
    raise TypeError(f"{look} is no scene")


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
    """A scene of things of different (color, shape) pairs, from left to right as they stand."""
    return _side_by_side(rng, choose_pairs(rng, num_things, pairs))


def interchangeable(rng: np.random.Generator, num_things: int) -> Scene:
    """Like `several`, of training pairs whose colors could all go with all of their shapes.

    In other scenes, "a blue star is never shown" tells which of two things is blue without a look
    at where the blue is; and of a blue star it tells the wrong thing.
    """
    while True:
        chosen = choose_pairs(rng, num_things)
        if not any((color, shape) in HELD_OUT_PAIRS for color, _ in chosen for _, shape in chosen):
            return _side_by_side(rng, chosen)


def counted(rng: np.random.Generator, num_things: int, pairs: Pairs = "train") -> Scene:
    """A scene of things of one (color, shape) pair, to be counted."""
    pair = choose_pairs(rng, 1, pairs)[0]
    return arrange(rng, [_with_pair(random_thing(rng), pair) for _ in range(num_things)])


def any_scene(rng: np.random.Generator, of_several: OfSeveral = several) -> Scene:
    """A training scene of one thing, of several different ones, or of some to be counted.

    Args:
        rng: where the randomness comes from.
        of_several: draws a scene of two or three different things.
    """
    draw = rng.random()
    if draw < 0.45:
        return single(rng)
    if draw < 0.8:
        return of_several(rng, int(rng.integers(2, 4)))
    return counted(rng, int(rng.integers(2, 5)))


def any_clip(rng: np.random.Generator, pairs: Pairs = "train") -> Clip | Succession:
    """A thing that moves, or now and then one that changes or gives way to another."""
    if rng.random() < 0.7:
        return random_clip(rng, pairs=pairs)
    return random_succession(rng, pairs=pairs)


def any_sign(rng: np.random.Generator) -> Sign:
    """A sign with an invented name that training may use."""
    return Sign(TRAIN_NAMES[rng.integers(len(TRAIN_NAMES))])


def any_look(rng: np.random.Generator) -> Describable:
    """A training scene, or now and then a clip or a sign."""
    draw = rng.random()
    if draw < 0.1:
        return any_clip(rng)
    return any_sign(rng) if draw < 0.15 else any_scene(rng)


def _side_by_side(rng: np.random.Generator, chosen: Sequence[Pair]) -> Scene:
    scene = arrange(rng, [_with_pair(random_thing(rng), pair) for pair in chosen])
    # A caption names them in this order; in any other, no one could foretell it.
    return replace(scene, things=tuple(sorted(scene.things, key=lambda thing: thing.x)))


def _with_pair(thing: Thing, pair: Pair) -> Thing:
    return replace(thing, color=pair[0], shape=pair[1])

"""What a picture of the drawn world shows: things with a look and a place, before any pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from flamingo.foundation.errors import ConfigError, nearest

SHAPES = ("circle", "square", "triangle", "diamond", "star", "cross", "heart", "ring")
COLORS = ("red", "green", "blue", "yellow", "purple", "orange", "cyan", "pink")
SIZES = ("small", "medium", "large")
TEXTURES = ("solid", "striped", "dotted", "checkered")
BACKGROUNDS = ("black", "white", "gray", "brown")

Motion = Literal["left", "right", "up", "down", "growing", "shrinking", "still"]
MOTIONS: tuple[Motion, ...] = get_args(Motion)
Pairs = Literal["train", "held_out"]

DIAMETERS = {"small": 0.22, "medium": 0.31, "large": 0.44}
"""Diameter of a thing as a fraction of the picture's side."""

TRAVEL = 0.36
"""How far a moving thing goes from the first frame to the last, as a fraction of the side."""

GROWTH = 1.5
"""How much larger a growing thing is in the last frame than halfway through the clip."""

MAX_THINGS = 4
_MARGIN = 0.02
_ARRANGING_TRIES = 12

HELD_OUT_PAIRS = frozenset((COLORS[i], SHAPES[(3 * i + 1) % 8]) for i in range(8))
"""(color, shape) pairs that no training picture and no training text holds: one per color and
one per shape, so that each color and each shape is still seen."""

_PAIRS: dict[str, tuple[tuple[str, str], ...]] = {
    "train": tuple((c, s) for c in COLORS for s in SHAPES if (c, s) not in HELD_OUT_PAIRS),
    "held_out": tuple(sorted(HELD_OUT_PAIRS)),
}


@dataclass(frozen=True)
class Thing:
    """One thing: its look, and its center from the top left, as fractions of the side."""

    shape: str
    color: str
    size: str
    texture: str
    x: float = 0.5
    y: float = 0.5

    @property
    def radius(self) -> float:
        """Half the diameter, as a fraction of the picture's side."""
        return DIAMETERS[self.size] / 2

    @property
    def place(self) -> str:
        """Where the thing is on a 3 x 3 grid: "top left", "top", …, "center", …, "bottom right"."""
        row = ("top", "", "bottom")[min(2, int(self.y * 3))]
        column = ("left", "", "right")[min(2, int(self.x * 3))]
        return f"{row} {column}".strip() or "center"


@dataclass(frozen=True)
class Scene:
    """One to four things that do not overlap, on a background."""

    things: tuple[Thing, ...]
    background: str


@dataclass(frozen=True)
class Clip:
    """A scene whose single thing moves or changes its size; the scene is the middle of the clip."""

    scene: Scene
    motion: Motion


@dataclass(frozen=True)
class Succession:
    """A clip in which one thing gives way to another, halfway.

    Where both stand at one place and differ in color or shape alone, it is one thing that changes.

    Args:
        first: what is there in the first half.
        second: what is there in the second half.
        background: stays the same.
    """

    first: Thing
    second: Thing
    background: str

    @property
    def changed(self) -> str | None:
        """ "color" or "shape" if that alone is not the same, else None."""
        for field in ("color", "shape"):
            if replace(self.first, **{field: getattr(self.second, field)}) == self.second:
                return field
        return None


def random_scene(
    rng: np.random.Generator, *, num_things: int | None = None, pairs: Pairs = "train"
) -> Scene:
    """Draws a scene; every attribute is uniform.

    Args:
        rng: where the randomness comes from.
        num_things: 1 to 4; a uniform draw if None.
        pairs: which (color, shape) pairs may appear.

    Raises:
        ConfigError: `num_things` is not between 1 and 4, or `pairs` is not a known name.
    """
    if num_things is None:
        num_things = 1 + int(rng.random() * MAX_THINGS)
    if not 1 <= num_things <= MAX_THINGS:
        raise ConfigError(
            f"a scene has 1 to {MAX_THINGS} things, but num_things is {num_things}. "
            f"Give a number between 1 and {MAX_THINGS}."
        )
    things = [random_thing(rng, pairs=pairs) for _ in range(num_things)]
    return arrange(rng, things)


def random_thing(rng: np.random.Generator, *, pairs: Pairs = "train") -> Thing:
    """Draws the look of one thing, standing in the center."""
    if pairs not in _PAIRS:
        raise ConfigError(f"there are no pairs named {pairs!r}. {nearest(pairs, _PAIRS)}")
    allowed = _PAIRS[pairs]
    a, b, c = rng.random(3).tolist()
    color, shape = allowed[int(a * len(allowed))]
    return Thing(shape, color, SIZES[int(b * len(SIZES))], TEXTURES[int(c * len(TEXTURES))])


def random_clip(
    rng: np.random.Generator, *, motion: Motion | None = None, pairs: Pairs = "train"
) -> Clip:
    """Draws a clip whose thing stays inside the picture all along.

    Args:
        rng: where the randomness comes from.
        motion: how the thing moves; a uniform draw if None.
        pairs: which (color, shape) pairs may appear.

    Raises:
        ConfigError: `motion` or `pairs` is not a known name.
    """
    if motion is None:
        motion = MOTIONS[int(rng.random() * len(MOTIONS))]
    if motion not in MOTIONS:
        raise ConfigError(f"there is no motion named {motion!r}. {nearest(motion, MOTIONS)}")
    thing = random_thing(rng, pairs=pairs)
    u, v, w = rng.random(3).tolist()
    room = thing.radius * (GROWTH if motion in ("growing", "shrinking") else 1.0) + _MARGIN
    x = _between(u, room + (TRAVEL / 2 if motion in ("left", "right") else 0.0))
    y = _between(v, room + (TRAVEL / 2 if motion in ("up", "down") else 0.0))
    background = BACKGROUNDS[int(w * len(BACKGROUNDS))]
    return Clip(Scene((replace(thing, x=x, y=y),), background), motion)


def random_succession(rng: np.random.Generator, *, pairs: Pairs = "train") -> Succession:
    """Draws one thing after another, or a thing that changes its color or its shape.

    No two held-out pairs share a color or a shape: what such a thing changes into may be of any.
    """
    first = arrange(rng, (random_thing(rng, pairs=pairs),)).things[0]
    other = random_thing(rng, pairs=pairs)
    while (other.color, other.shape) == (first.color, first.shape):
        other = random_thing(rng, pairs=pairs)
    kind = ("color", "shape", "other")[rng.integers(3)]
    field = {"color": "shape", "shape": "color"}.get(kind)
    into = _PAIRS["train"] if pairs == "train" else (*_PAIRS["train"], *_PAIRS["held_out"])
    same = [p for p in into if field and p[field == "shape"] == getattr(first, field)]
    same = [p for p in same if p != (first.color, first.shape)]
    if same:
        color, shape = same[rng.integers(len(same))]
        second = replace(first, color=color, shape=shape)
    else:
        second = arrange(rng, (other,)).things[0]
    return Succession(first, second, BACKGROUNDS[rng.integers(len(BACKGROUNDS))])


def arrange(
    rng: np.random.Generator, things: Sequence[Thing], background: str | None = None
) -> Scene:
    """Puts one to four things at random places where they do not overlap.

    Args:
        rng: where the randomness comes from.
        things: their looks; the places that they have are not used.
        background: one of `BACKGROUNDS`; a uniform draw if None.
    """
    if background is None:
        background = BACKGROUNDS[int(rng.random() * len(BACKGROUNDS))]
    for _ in range(_ARRANGING_TRIES):
        placed = _scatter(rng, things)
        if placed is not None:
            return Scene(placed, background)
    return Scene(_one_per_quarter(rng, things), background)


def _scatter(rng: np.random.Generator, things: Sequence[Thing]) -> tuple[Thing, ...] | None:
    draws = rng.random(2 * len(things)).tolist()
    placed: list[Thing] = []
    for i, thing in enumerate(things):
        radius = thing.radius
        x = _between(draws[2 * i], radius + _MARGIN)
        y = _between(draws[2 * i + 1], radius + _MARGIN)
        for other in placed:
            # Corners reach a little beyond the radius, hence the factor.
            if math.hypot(x - other.x, y - other.y) < 1.1 * (radius + other.radius) + _MARGIN:
                return None
        placed.append(Thing(thing.shape, thing.color, thing.size, thing.texture, x, y))
    return tuple(placed)


def _one_per_quarter(rng: np.random.Generator, things: Sequence[Thing]) -> tuple[Thing, ...]:
    placed = []
    for thing, quarter in zip(things, rng.permutation(4).tolist(), strict=False):
        u, v = rng.random(2).tolist()
        slack = 0.25 - thing.radius - _MARGIN / 4
        x = 0.25 + 0.5 * (quarter % 2) + (2 * u - 1) * slack
        y = 0.25 + 0.5 * (quarter // 2) + (2 * v - 1) * slack
        placed.append(replace(thing, x=x, y=y))
    return tuple(placed)


def _between(uniform: float, margin: float) -> float:
    """Maps [0, 1) onto [margin, 1 - margin)."""
    return margin + uniform * (1.0 - 2.0 * margin)

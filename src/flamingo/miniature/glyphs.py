"""Invented alphabets: characters drawn stroke by stroke, each time in another hand."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from flamingo.foundation.randomness import generator

Points = NDArray[np.float32]
"""Points of the plane, [..., 2], as fractions of the picture's side."""

_GRID = 4  # a stroke runs through points of a 4 x 4 grid
_POINTS_PER_STROKE = 24
_JITTER = 0.018
_MAX_SLANT = 0.22
_MAX_ROTATION = 0.14
_MARGIN = 0.24
_SOFTEST = 5


def draw_glyph(
    alphabet_seed: int, character: int, rng: np.random.Generator, size: int = 64
) -> NDArray[np.uint8]:
    """Draws one character of an invented alphabet as [size, size, 3], dark ink on light paper.

    The alphabet and the number say which strokes the character has; `rng` gives the hand:
    unsteady points, slant, rotation, size, place, shades of ink and paper, and a pen that may be
    thin or thick, sharp or soft.

    Args:
        alphabet_seed: names the alphabet; there is no end to them.
        character: which of its characters; any integer, the same one for the same number.
        rng: where the variation comes from.
        size: height and width in pixels.
    """
    strokes = [_written(stroke, rng) for stroke in _skeleton(alphabet_seed, character)]
    strokes = _in_another_hand(strokes, rng)
    thickness = rng.uniform(0.02, 0.05) * size
    coverage = np.zeros((size, size), np.float32)
    for stroke in strokes:
        ink_line(coverage, stroke * np.float32(size), thickness)
    for _ in range(int(rng.integers(_SOFTEST + 1))):
        coverage = _softer(coverage)
    paper = rng.uniform(205, 250) + rng.uniform(-5, 5, 3)
    ink = rng.uniform(5, 55) + rng.uniform(-5, 5, 3)
    picture = paper + (ink - paper) * coverage[..., None]
    picture += rng.uniform(-5, 5, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


@lru_cache(maxsize=4096)
def _skeleton(alphabet_seed: int, character: int) -> tuple[Points, ...]:
    """The points that each of the character's two to four strokes runs through, on [0, 1]."""
    rng = generator("glyph", alphabet_seed, character)
    strokes = []
    for _ in range(int(rng.choice([2, 3, 3, 4]))):
        num_points = int(rng.choice([2, 3, 4]))
        cells = [rng.integers(0, _GRID, 2)]
        while len(cells) < num_points:
            step = rng.integers(-2, 3, 2)
            cell = np.clip(cells[-1] + step, 0, _GRID - 1)
            if all((cell != other).any() for other in cells):
                cells.append(cell)
        strokes.append(np.array(cells, np.float32) / np.float32(_GRID - 1))
    return tuple(strokes)


def _written(stroke: Points, rng: np.random.Generator) -> Points:
    """A smooth curve through the stroke's points, each a little off its place."""
    unsteady = stroke + rng.normal(0, 2 * _JITTER, stroke.shape)
    return curve(unsteady.astype(np.float32))


def curve(points: Points) -> Points:
    """A Catmull-Rom spline: passes through each point, in the direction of its neighbors."""
    if len(points) == 2:
        t = np.linspace(0, 1, _POINTS_PER_STROKE, dtype=np.float32)[:, None]
        return points[0] + (points[1] - points[0]) * t
    padded = np.concatenate([points[:1], points, points[-1:]])
    position = np.linspace(0, len(points) - 1, _POINTS_PER_STROKE, dtype=np.float32)
    segment = np.minimum(position.astype(np.int64), len(points) - 2)
    t = (position - segment)[:, None]
    a, b, c, d = (padded[segment + k] for k in range(4))
    linear, square = c - a, 2 * a - 5 * b + 4 * c - d
    cube = 3 * b - a - 3 * c + d
    return (b + 0.5 * t * (linear + t * (square + t * cube))).astype(np.float32)


def _in_another_hand(strokes: list[Points], rng: np.random.Generator) -> list[Points]:
    """Slants, turns, scales and shifts the whole character."""
    slant = rng.uniform(-_MAX_SLANT, _MAX_SLANT)
    angle = rng.uniform(-_MAX_ROTATION, _MAX_ROTATION)
    shear = np.array([[1, 0], [slant, 1]])
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    scale = np.diag((1 - 2 * _MARGIN) * rng.uniform(0.85, 1.15, 2))
    matrix = (scale @ shear @ turn).astype(np.float32)
    shift = (0.5 + rng.uniform(-0.05, 0.05, 2)).astype(np.float32)
    return [(stroke - np.float32(0.5)) @ matrix + shift for stroke in strokes]


def _softer(coverage: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each pixel mixed with its neighbors; those of the border, which are paper, stay."""
    mixed = coverage.copy()
    mixed[1:-1] = coverage[1:-1] / 2 + (coverage[:-2] + coverage[2:]) / 4
    coverage = mixed.copy()
    coverage[:, 1:-1] = mixed[:, 1:-1] / 2 + (mixed[:, :-2] + mixed[:, 2:]) / 4
    return coverage


def ink_line(coverage: NDArray[np.float32], line: Points, thickness: float) -> None:
    """Darkens the pixels near a line through `line`, in place, in its bounding box alone."""
    size = coverage.shape[0]
    reach = thickness + 1.0
    left, top = np.maximum(np.floor(line.min(0) - reach), 0).astype(int)
    right, bottom = np.minimum(np.ceil(line.max(0) + reach), size).astype(int)
    if left >= right or top >= bottom:
        return
    x = np.arange(left, right, dtype=np.float32)[None, :, None] + np.float32(0.5)
    y = np.arange(top, bottom, dtype=np.float32)[:, None, None] + np.float32(0.5)
    # Distance to the nearest of many points on the line: they lie closer than half a pixel.
    between = np.linspace(0, 1, 4, endpoint=False, dtype=np.float32)[:, None, None]
    dense = (line[:-1] + (line[1:] - line[:-1]) * between).reshape(-1, 2)
    squared = ((x - dense[:, 0]) ** 2 + (y - dense[:, 1]) ** 2).min(-1)
    cover = np.clip(np.float32(thickness + 0.5) - np.sqrt(squared), 0, 1)
    box = coverage[top:bottom, left:right]
    np.maximum(box, cover, out=box)

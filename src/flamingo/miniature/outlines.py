"""The outline of every shape and the pattern of every texture, as functions of the plane."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
"""One coordinate, or one value, per pixel."""

_STAR_SIDES = [
    (math.cos(math.pi / 2 + 2 * math.pi * k / 5), math.sin(math.pi / 2 + 2 * math.pi * k / 5))
    for k in range(5)
]


def _circle(x: Plane, y: Plane) -> Plane:
    return np.sqrt(x * x + y * y) - np.float32(0.98)


def _square(x: Plane, y: Plane) -> Plane:
    return np.maximum(np.abs(x), np.abs(y)) - np.float32(0.82)


def _triangle(x: Plane, y: Plane) -> Plane:
    slope = np.abs(x) * np.float32(0.887) - y * np.float32(0.461)
    return np.maximum(slope - np.float32(0.49), y - np.float32(0.82))


def _diamond(x: Plane, y: Plane) -> Plane:
    # Taller than wide, so that no rotation makes it a square.
    return (np.abs(x) * np.float32(1.68) + np.abs(y) - np.float32(1.1)) * np.float32(0.51)


def _star(x: Plane, y: Plane) -> Plane:
    # Inside a pentagram is where at most one of its five lines is crossed.
    largest = second = np.full_like(x, -np.inf)
    for a, b in _STAR_SIDES:
        side = x * np.float32(a) + y * np.float32(b)
        second = np.maximum(second, np.minimum(largest, side))
        largest = np.maximum(largest, side)
    # The disk makes it fatter, or a small one would be all tips.
    return np.minimum(second - np.float32(0.36), np.sqrt(x * x + y * y) - np.float32(0.56))


def _cross(x: Plane, y: Plane) -> Plane:
    x, y = np.abs(x), np.abs(y)
    return np.maximum(np.maximum(x, y) - np.float32(1.0), np.minimum(x, y) - np.float32(0.34))


def _heart(x: Plane, y: Plane) -> Plane:
    # A square on its tip, and a half circle on each of its two upper sides.
    x, y = np.abs(x), y - np.float32(0.12)
    tip = (x + np.abs(y) - np.float32(0.9)) * np.float32(0.707)
    x, y = x - np.float32(0.45), y + np.float32(0.45)
    return np.minimum(tip, np.sqrt(x * x + y * y) - np.float32(0.636))


def _ring(x: Plane, y: Plane) -> Plane:
    return np.abs(np.sqrt(x * x + y * y) - np.float32(0.76)) - np.float32(0.25)


OUTLINES: dict[str, Callable[[Plane, Plane], Plane]] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "diamond": _diamond,
    "star": _star,
    "cross": _cross,
    "heart": _heart,
    "ring": _ring,
}
"""Per shape, about the signed distance to its outline, in radii: negative inside, y downwards."""


def _striped(x: Plane, y: Plane) -> Plane:
    return np.sin((x + y) * np.float32(0.87))


def _dotted(x: Plane, y: Plane) -> Plane:
    return np.cos(x * np.float32(1.25)) + np.cos(y * np.float32(1.25)) - np.float32(0.75)


def _checkered(x: Plane, y: Plane) -> Plane:
    return np.sin(x * np.float32(0.8)) * np.sin(y * np.float32(0.8)) * np.float32(2)


PATTERNS: dict[str, Callable[[Plane, Plane], Plane]] = {
    "striped": _striped,
    "dotted": _dotted,
    "checkered": _checkered,
}
"""Per texture that is not solid, a value that is positive on its dark parts. The coordinates are
pixels of a 64-pixel picture, so that patterns are equally fine on small and on large things."""

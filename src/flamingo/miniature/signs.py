"""Signs with a printed word: letters drawn stroke by stroke, a little differently each time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from flamingo.foundation.errors import ConfigError
from flamingo.miniature.glyphs import Points, curve, ink_line
from flamingo.miniature.render import RGB

# Strokes through points (x, y) of a box that is 1 wide and 2 high, y downwards; the line of
# writing is at y = 1.5. Two points are a straight line, more are a smooth curve.
_STROKES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "a": (((0.9, 0.6), (0.3, 0.6), (0.1, 1.05), (0.4, 1.5), (0.9, 1.2)), ((0.9, 0.5), (0.9, 1.5))),
    "d": (((0.9, 0.7), (0.3, 0.6), (0.1, 1.05), (0.4, 1.5), (0.9, 1.2)), ((0.9, 0.0), (0.9, 1.5))),
    "e": (
        ((0.1, 1.0), (0.9, 1.0)),
        ((0.9, 1.0), (0.75, 0.6), (0.3, 0.6), (0.1, 1.05), (0.3, 1.5), (0.9, 1.4)),
    ),
    "f": (((0.9, 0.1), (0.5, 0.1), (0.45, 0.6), (0.45, 1.5)), ((0.1, 0.65), (0.85, 0.65))),
    "g": (
        ((0.9, 0.7), (0.3, 0.6), (0.1, 1.0), (0.4, 1.4), (0.9, 1.1)),
        ((0.9, 0.55), (0.9, 1.6), (0.6, 2.0), (0.15, 1.9)),
    ),
    "i": (((0.5, 0.65), (0.5, 1.5)), ((0.5, 0.2), (0.5, 0.28))),
    "k": (((0.15, 0.0), (0.15, 1.5)), ((0.85, 0.6), (0.15, 1.1)), ((0.3, 1.0), (0.9, 1.5))),
    "l": (((0.5, 0.0), (0.5, 1.5)), ((0.3, 0.0), (0.5, 0.0)), ((0.3, 1.5), (0.7, 1.5))),
    "m": (
        ((0.1, 0.6), (0.1, 1.5)),
        ((0.1, 0.8), (0.3, 0.6), (0.5, 0.8), (0.5, 1.5)),
        ((0.5, 0.8), (0.7, 0.6), (0.9, 0.8), (0.9, 1.5)),
    ),
    "o": (((0.5, 0.6), (0.1, 0.9), (0.2, 1.4), (0.8, 1.4), (0.9, 0.9), (0.5, 0.6)),),
    "p": (
        ((0.15, 0.6), (0.15, 2.0)),
        ((0.15, 0.7), (0.7, 0.6), (0.9, 1.05), (0.6, 1.5), (0.15, 1.3)),
    ),
    "r": (((0.2, 0.6), (0.2, 1.5)), ((0.2, 0.9), (0.5, 0.6), (0.9, 0.7))),
    "t": (((0.45, 0.1), (0.45, 1.2), (0.6, 1.5), (0.9, 1.4)), ((0.1, 0.6), (0.9, 0.6))),
    "u": (((0.1, 0.6), (0.1, 1.2), (0.4, 1.5), (0.9, 1.2)), ((0.9, 0.6), (0.9, 1.5))),
    "z": (((0.1, 0.6), (0.9, 0.6)), ((0.9, 0.6), (0.1, 1.5)), ((0.1, 1.5), (0.9, 1.5))),
}
LETTERS = frozenset(_STROKES)
"""The letters that invented names are made of."""

MOST_LETTERS = 4

_PAPERS = ("white", "yellow", "gray", "brown", "black")
_SPACING = 1.25  # from one letter to the next, in widths of a letter


@dataclass(frozen=True)
class Sign:
    """A picture of a word.

    Args:
        text: one to four of `LETTERS`.

    Raises:
        ConfigError: it is longer, empty, or has another letter.
    """

    text: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.text) <= MOST_LETTERS or not set(self.text) <= LETTERS:
            raise ConfigError(
                f"a sign cannot say {self.text!r}: it has room for 1 to {MOST_LETTERS} of the "
                f"letters {' '.join(sorted(LETTERS))}."
            )


def render_sign(sign: Sign, rng: np.random.Generator, size: int = 64) -> NDArray[np.uint8]:
    """Draws a sign as [size, size, 3]; place, size, slant, ink and paper vary with `rng`."""
    width = size * rng.uniform(0.155, 0.19)
    slant, drop = rng.uniform(-0.12, 0.12), rng.uniform(-0.06, 0.06)
    free = size - width * _SPACING * len(sign.text)
    left = free * rng.uniform(0.25, 0.75) + width * (_SPACING - 1) / 2
    top = size * rng.uniform(0.28, 0.46)
    thickness = size * rng.uniform(0.018, 0.028)
    coverage = np.zeros((size, size), np.float32)
    for place, letter in enumerate(sign.text):
        for stroke in _curves(letter):
            unsteady = stroke + rng.normal(0, 0.025, 2)
            x = left + width * (place * _SPACING + unsteady[:, 0] - slant * unsteady[:, 1])
            y = top + width * (unsteady[:, 1] + drop * place)
            ink_line(coverage, np.stack([x, y], 1).astype(np.float32), thickness)
    return _printed(coverage, rng)


@lru_cache(maxsize=len(_STROKES))
def _curves(letter: str) -> tuple[Points, ...]:
    return tuple(curve(np.array(stroke, np.float32)) for stroke in _STROKES[letter])


def _printed(coverage: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Dark ink on light paper, or light ink on dark paper."""
    paper = np.array(RGB[_PAPERS[rng.integers(len(_PAPERS))]]) + rng.uniform(-14, 14, 3)
    ink = np.array(RGB["black" if paper.mean() > 115 else "white"]) + rng.uniform(-14, 14, 3)
    picture = paper + (ink - paper) * coverage[..., None]
    picture += rng.uniform(-7, 7, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)

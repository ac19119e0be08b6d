"""Few-shot tasks on characters: invented alphabets, and real handwritten digits."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flamingo.foundation.errors import DataError
from flamingo.miniature.episodes import CHARACTERS_PER_ALPHABET
from flamingo.miniature.few_shot_episodes import EpisodeBuilder, naming_episode
from flamingo.miniature.glyphs import draw_glyph
from flamingo.sequence.visual import Visual

FIRST_UNSEEN_ALPHABET = 1_000_000
"""Alphabets from this number on are never trained on."""

_SIDE, _DIGIT_SIDE = 64, 44


def glyphs_episode(num_ways: int) -> EpisodeBuilder:
    """Held-out names for characters of one unseen alphabet, each drawing in another hand."""

    def classes(rng: np.random.Generator, num: int) -> list[Callable[..., Visual]]:
        alphabet = FIRST_UNSEEN_ALPHABET + int(rng.integers(1_000_000))
        return [_scribe(alphabet, int(c)) for c in rng.permutation(CHARACTERS_PER_ALPHABET)[:num]]

    return naming_episode(f"glyphs {num_ways}", num_ways, classes)


def digits_episode(num_ways: int) -> EpisodeBuilder:
    """Held-out names for digits that people wrote by hand; no picture comes twice.

    Raises:
        DataError: scikit-learn, which brings the pictures, is not installed; or more shots are
            asked for than there are pictures.
    """

    def classes(rng: np.random.Generator, num: int) -> list[Callable[..., Visual]]:
        return [_reader(int(digit), rng) for digit in rng.permutation(10)[:num]]

    return naming_episode(f"digits {num_ways}", num_ways, classes)


def _scribe(alphabet: int, character: int) -> Callable[..., Visual]:
    def write(rng: np.random.Generator, _number: int) -> Visual:
        return Visual(draw_glyph(alphabet, character, rng)[None])

    return write


def _reader(digit: int, rng: np.random.Generator) -> Callable[..., Visual]:
    pictures = _digits()[digit]
    order = rng.permutation(len(pictures))

    def read(own: np.random.Generator, number: int) -> Visual:
        if number >= len(order):
            raise DataError(
                f"the digit {digit} has {len(order)} pictures, but example {number} was asked for. "
                f"Ask for fewer shots."
            )
        return Visual(_as_picture(pictures[order[number]], own)[None])

    return read


def _as_picture(digit: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """An 8 x 8 digit as dark ink on light paper, 64 x 64."""
    large = Image.fromarray(digit).resize((_DIGIT_SIDE, _DIGIT_SIDE), Image.Resampling.BICUBIC)
    coverage = np.zeros((_SIDE, _SIDE), np.float32)
    start = (_SIDE - _DIGIT_SIDE) // 2
    coverage[start : start + _DIGIT_SIDE, start : start + _DIGIT_SIDE] = np.asarray(large)
    paper, ink = rng.uniform(205, 250), rng.uniform(5, 55)
    gray = paper + (ink - paper) * np.clip(coverage, 0, 1)
    return np.repeat(gray[..., None], 3, axis=2).astype(np.uint8)


@lru_cache(maxsize=1)
def _digits() -> tuple[NDArray[np.float32], ...]:
    """The pictures of each digit, ink from 0 to 1."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DataError(
            "the digits task needs scikit-learn, which is not installed. "
            'Install it with `pip install "flamingo-vlm[demo]"`.'
        ) from error
    data = load_digits()
    ink = (data.images / 16.0).astype(np.float32)
    return tuple(ink[data.target == digit] for digit in range(10))

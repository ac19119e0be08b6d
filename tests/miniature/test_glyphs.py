from __future__ import annotations

import numpy as np

from flamingo.foundation.randomness import generator
from flamingo.miniature.glyphs import draw_glyph


def ink(alphabet: int, character: int, key: int) -> np.ndarray:
    """Darkness, coarse and shifted so that the ink's center is in the middle."""
    picture = draw_glyph(alphabet, character, generator("hand", key)).astype(float).mean(-1)
    dark = (picture.max() - picture) > 80
    rows, columns = dark.nonzero()
    shift = (32 - round(rows.mean()), 32 - round(columns.mean()))
    centered = np.roll(dark.astype(float), shift, (0, 1))
    return centered.reshape(16, 4, 16, 4).mean((1, 3))


def test_a_drawing_is_dark_ink_on_light_paper():
    picture = draw_glyph(1, 2, generator("hand", 0), size=48)
    assert picture.shape == (48, 48, 3)
    assert picture.dtype == np.uint8
    is_ink = picture.mean(-1) < 128
    assert 0.01 < is_ink.mean() < 0.5


def test_the_generator_decides_the_hand():
    assert np.array_equal(
        draw_glyph(1, 2, generator("hand", 0)), draw_glyph(1, 2, generator("hand", 0))
    )
    assert not np.array_equal(
        draw_glyph(1, 2, generator("hand", 0)), draw_glyph(1, 2, generator("hand", 1))
    )


def test_drawings_of_one_character_are_nearer_than_drawings_of_another():
    mean = {c: sum(ink(7, c, k) for k in range(6)) / 6 for c in range(8)}
    hits = [
        min(mean, key=lambda m: ((mean[m] - ink(7, c, key)) ** 2).sum()) == c
        for c in mean
        for key in range(50, 54)
    ]
    assert np.mean(hits) > 0.7


def test_alphabets_have_characters_of_their_own():
    assert not np.array_equal(ink(1, 0, 0), ink(2, 0, 0))

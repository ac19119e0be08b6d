"""Images of a single color are told from those that show something."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from flamingo.data.collection.steps.plain_images import (
    PlainImages,
    deviation_of,
    number_of_colors,
)
from flamingo.foundation.errors import ConfigError
from tests.data.collection.steps.pages_for_steps import image, kept_of, noise, page, reason_of


def flat(*color: int) -> npt.NDArray[np.uint8]:
    return np.full((8, 8, 3), color, np.uint8)


def test_one_color_is_out_even_with_the_noise_of_a_file() -> None:
    plain = flat(40, 80, 120)
    noisy = (plain + noise() % 4).astype(np.uint8)
    assert not np.array_equal(plain, noisy)
    for thumbnail in (plain, noisy):
        assert kept_of(PlainImages(), image(thumbnail=thumbnail)) == []
    assert reason_of(PlainImages()(page(image(thumbnail=plain)))) == "1 colors, at least 2"


def test_number_of_colors() -> None:
    thumbnail = flat(0, 0, 0)
    thumbnail[0, :5] = [[0, 0, 15], [0, 0, 16], [0, 16, 0], [16, 0, 0], [255, 255, 255]]
    assert number_of_colors(thumbnail) == 5
    node = image(thumbnail=thumbnail)
    assert kept_of(PlainImages(min_colors=5), node) == [node]
    assert kept_of(PlainImages(min_colors=6), node) == []


def test_deviation() -> None:
    thumbnail = flat(100, 100, 100)
    thumbnail[:4, :, 2] = 108
    assert deviation_of(thumbnail) == pytest.approx(4)
    thumbnail[:4, :, 1] = 112
    assert deviation_of(thumbnail) == pytest.approx(6)
    node = image(thumbnail=thumbnail)
    assert kept_of(PlainImages(min_deviation=5.9), node) == [node]
    assert kept_of(PlainImages(min_deviation=6.1), node) == []
    reason = reason_of(PlainImages(min_deviation=6.1)(page(node)))
    assert reason == "colors that deviate by 6.00, at least 6.1"


def test_pictures_and_what_was_not_read_stay() -> None:
    nodes = [image(thumbnail=noise()), image()]
    assert kept_of(PlainImages(), *nodes) == nodes


def test_impossible_settings() -> None:
    with pytest.raises(ConfigError, match="min_colors=-1"):
        PlainImages(min_colors=-1)
    with pytest.raises(ConfigError, match="min_deviation"):
        PlainImages(min_deviation=-0.5)

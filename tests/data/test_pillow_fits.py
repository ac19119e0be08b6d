from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from flamingo.data import VisualTransform
from flamingo.data.pillow_fits import covering_size, crop, squash
from flamingo.foundation.errors import ConfigError, MediaError
from flamingo.sequence import Visual

from .pictures_for_tests import MEAN, SIZES, STD, of_idefics, of_open_clip


def noise(num_frames: int, height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (num_frames, height, width, 3), np.uint8)


@pytest.mark.parametrize(("fit", "theirs"), [("crop", of_open_clip), ("squash", of_idefics)])
@pytest.mark.parametrize("shape", SIZES)
def test_each_frame_is_theirs(shape: tuple[int, int], fit: str, theirs: object) -> None:
    frames = noise(2, *shape)
    for size in (224, 31):
        ours = VisualTransform(size, MEAN, STD, fit)(Visual(frames))
        expected = torch.stack([theirs(Image.fromarray(frame), size) for frame in frames])
        assert float((ours - expected).abs().max()) <= 1e-6


@settings(deadline=None)
@given(st.integers(1, 99), st.integers(1, 99), st.integers(1, 40))
def test_any_size_is_theirs(height: int, width: int, size: int) -> None:
    frames = noise(1, height, width)
    for fit, theirs in (("crop", of_open_clip), ("squash", of_idefics)):
        (ours,) = VisualTransform(size, MEAN, STD, fit)(Visual(frames))
        assert float((ours - theirs(Image.fromarray(frames[0]), size)).abs().max()) <= 1e-6


def test_frames_that_lie_otherwise_in_memory() -> None:
    turned = np.rot90(noise(2, 20, 30), axes=(1, 2))
    plain = np.ascontiguousarray(turned)
    assert np.array_equal(crop(turned, 8), crop(plain, 8))
    assert np.array_equal(squash(turned, 8), squash(plain, 8))


@given(st.integers(1, 2000), st.integers(1, 2000), st.integers(1, 480))
def test_what_covers_is_not_resized_again(width: int, height: int, size: int) -> None:
    if size * size * max(width, height) / min(width, height) > 50_000_000:
        with pytest.raises(MediaError, match="cut it out"):
            covering_size(width, height, size)
        return
    covering = covering_size(width, height, size)
    assert min(covering) == size
    assert covering_size(*covering, size) == covering


def test_a_long_visual_is_squashed_and_padded_but_not_cropped() -> None:
    long = Visual(np.zeros((1, 1, 2000, 3), np.uint8))
    assert VisualTransform(224, fit="squash")(long).shape == (1, 3, 224, 224)
    assert VisualTransform(224)(long).shape == (1, 3, 224, 224)
    with pytest.raises(MediaError, match=r"2000x1 pixels, resized .* are 100,352,000"):
        VisualTransform(224, fit="crop")(long)


def test_a_wrong_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="there is no fit 'cropped'"):
        VisualTransform(8, fit="cropped")

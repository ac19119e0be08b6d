from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from flamingo.data import VisualTransform
from flamingo.foundation.errors import ConfigError
from flamingo.sequence import Visual

PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)


@given(st.integers(1, 70), st.integers(1, 70))
def test_any_size_becomes_the_square_with_its_aspect(height: int, width: int) -> None:
    visual = Visual(np.full((1, height, width, 3), 255, np.uint8))
    pixels = VisualTransform(16, **PLAIN)(visual)
    assert pixels.shape == (1, 3, 16, 16)
    rows = int((pixels[0, 0] > 0).any(dim=1).sum())
    columns = int((pixels[0, 0] > 0).any(dim=0).sum())
    assert max(rows, columns) == 16
    assert abs(rows - max(1, 16 * height / max(height, width))) <= 0.5
    assert abs(columns - max(1, 16 * width / max(height, width))) <= 0.5


def test_extreme_aspects_keep_a_pixel() -> None:
    pixels = VisualTransform(8, **PLAIN)(Visual(np.full((1, 1, 1000, 3), 255, np.uint8)))
    assert (pixels[0, 0].sum(dim=1) > 0).sum() == 1


def test_padding_is_the_mean_and_centered() -> None:
    transform = VisualTransform(8, mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.2))
    pixels = transform(Visual(np.full((1, 4, 8, 3), 255, np.uint8)))
    assert not pixels[..., :2, :].any()
    assert not pixels[..., 6:, :].any()
    assert torch.allclose(pixels[0, :, 2:6].mean((1, 2)), torch.tensor([2.5, 3.0, 3.5]))


def test_the_right_size_is_only_normalized() -> None:
    frames = noise(2, 8, 8)
    expected = torch.from_numpy(frames).permute(0, 3, 1, 2) / 255
    assert torch.equal(VisualTransform(8, **PLAIN)(Visual(frames)), expected)


def test_frames_together_equal_frames_apart() -> None:
    frames = noise(3, 30, 40)
    transform = VisualTransform(16)
    apart = torch.cat([transform(Visual(frames[i : i + 1])) for i in range(3)])
    assert torch.equal(transform(Visual(frames)), apart)


def test_close_to_pillows_bicubic() -> None:
    frames = noise(1, 64, 64)
    ours = VisualTransform(16, **PLAIN)(Visual(frames))[0].permute(1, 2, 0) * 255
    theirs = np.asarray(Image.fromarray(frames[0]).resize((16, 16), Image.Resampling.BICUBIC))
    assert np.abs(ours.numpy() - theirs).max() <= 2


def test_bicubic_overshoot_stays_in_range() -> None:
    stripes = np.zeros((1, 9, 9, 3), np.uint8)
    stripes[:, :, ::2] = 255
    pixels = VisualTransform(32, **PLAIN)(Visual(stripes))
    assert float(pixels.min()) >= 0
    assert float(pixels.max()) <= 1


@pytest.mark.parametrize(
    "settings", [{"size": 0}, {"size": 8, "mean": (0.5,)}, {"size": 8, "std": (0.0, 1.0, 1.0)}]
)
def test_impossible_settings_are_refused(settings: dict) -> None:
    with pytest.raises(ConfigError, match="is impossible"):
        VisualTransform(**settings)

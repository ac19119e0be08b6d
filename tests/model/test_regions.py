"""Regions of a picture, and latents that begin with them."""

from __future__ import annotations

import pytest
import torch

from flamingo.foundation.errors import ConfigError
from flamingo.model.perceiver_resampler import PerceiverResampler
from flamingo.model.regions import to_regions

SHAPE = {
    "visual_dim": 8,
    "dim": 8,
    "num_layers": 1,
    "num_latents": 5,
    "num_heads": 2,
    "head_dim": 4,
}


def test_a_picture_is_averaged_by_regions() -> None:
    grid = torch.arange(16.0).view(1, 1, 16, 1)
    assert to_regions(grid, 4).flatten().tolist() == [2.5, 4.5, 10.5, 12.5]
    row = torch.arange(6.0).view(1, 1, 6, 1)
    assert to_regions(row, 3).flatten().tolist() == [0.5, 2.5, 4.5]


def test_local_latents_begin_with_their_region() -> None:
    resampler = PerceiverResampler(**SHAPE, num_local_latents=4)
    features = torch.randn(2, 3, 16, 8)
    begun = []
    resampler.layers[0].register_forward_pre_hook(lambda _, args: begun.append(args[0]))
    resampler(features)
    own = begun[0] - resampler.latents
    torch.testing.assert_close(own[:, :4], to_regions(features, 4).mean(1))
    assert not own[:, 4:].any()


def test_what_stands_together_stays_together() -> None:
    resampler = PerceiverResampler(**SHAPE, num_local_latents=4)
    features = torch.randn(1, 1, 16, 8)
    changed = features.clone()
    changed[..., 0, :] = torch.randn(8)
    moved = (resampler(changed) - resampler(features)).detach().abs().amax(-1)[0]
    assert moved.argmax() == 0
    assert moved[0] > 2 * moved[1:].max()


def test_no_more_local_latents_than_latents() -> None:
    with pytest.raises(ConfigError, match=r"6 local latents were asked for, but there are 5"):
        PerceiverResampler(**SHAPE, num_local_latents=6)

"""Places that the resampler marks itself, for encoders that do not."""

from __future__ import annotations

import pytest
import torch

from flamingo.foundation.errors import SequenceError
from flamingo.model.perceiver_resampler import PerceiverResampler


def resampler(num_positions: int) -> PerceiverResampler:
    torch.manual_seed(0)
    return PerceiverResampler(
        visual_dim=8, dim=8, num_layers=1, num_latents=3, num_heads=2, head_dim=4,
        num_positions=num_positions,
    )  # fmt: skip


def test_with_them_it_matters_where_a_feature_stands() -> None:
    features = torch.randn(2, 2, 6, 8)
    moved = features[:, :, torch.tensor([5, 0, 1, 2, 3, 4])]
    torch.testing.assert_close(resampler(0)(features), resampler(0)(moved))
    marked = resampler(6)
    assert not torch.allclose(marked(features), marked(moved), atol=1e-2)


def test_they_are_of_one_size_of_pictures() -> None:
    with pytest.raises(SequenceError, match="5 positions, but this resampler knows 6"):
        resampler(6)(torch.randn(1, 1, 5, 8))

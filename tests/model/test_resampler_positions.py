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


def test_pictures_of_another_size_have_them_in_between() -> None:
    marked = resampler(4)
    assert marked.position_embeddings is not None
    row, column = torch.tensor([0.0, 0, 1, 1]), torch.tensor([0.0, 1, 0, 1])
    marked.position_embeddings.data = torch.stack([row, column] * 4, dim=1)
    corners = marked._place(16).unflatten(0, (4, 4))[:, :, :2].detach()
    assert (corners[1:, :, 0] > corners[:-1, :, 0]).all()
    assert (corners[:, 1:, 1] > corners[:, :-1, 1]).all()
    torch.testing.assert_close(corners.mean((0, 1)), torch.full((2,), 0.5))
    assert marked(torch.randn(1, 2, 16, 8)).isfinite().all()


@pytest.mark.parametrize(("known", "seen"), [(6, 5), (6, 4), (4, 6)])
def test_only_squares_are_laid_over_others(known: int, seen: int) -> None:
    with pytest.raises(SequenceError, match=f"{seen} positions, but this resampler knows {known}"):
        resampler(known)(torch.randn(1, 1, seen, 8))

"""What stands in for the Perceiver Resampler: shapes, time, company, number of parameters."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from flamingo.model.perceiver_resampler import PerceiverResampler
from flamingo.model.variants.resamplers import (
    MlpResampler,
    TransformerResampler,
    num_parameters,
)

SHAPE = {"visual_dim": 24, "dim": 32, "num_latents": 4, "num_time_embeddings": 3}
LAYERS = {"num_layers": 2, "num_heads": 2, "head_dim": 8, "ffw_multiple": 4}


def _resampler(kind: str) -> nn.Module:
    torch.manual_seed(0)
    if kind == "mlp":
        return MlpResampler(**SHAPE, num_parameters=num_parameters(**SHAPE, **LAYERS))
    return TransformerResampler(**SHAPE, **LAYERS)


def _features(visuals: int = 2, frames: int = 1, positions: int = 9) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(visuals, frames, positions, 24, generator=generator)


@pytest.mark.parametrize("frames", [1, 3, 8])
@pytest.mark.parametrize("positions", [1, 4, 9, 10])
@pytest.mark.parametrize("kind", ["mlp", "transformer"])
def test_any_number_of_frames_and_positions(kind: str, positions: int, frames: int) -> None:
    tokens = _resampler(kind)(_features(2, frames, positions))
    assert tokens.shape == (2, 4, 32)
    assert tokens.isfinite().all()


@pytest.mark.parametrize("kind", ["mlp", "transformer"])
def test_company_changes_nothing(kind: str) -> None:
    resampler, features = _resampler(kind), _features(3, 2)
    with torch.no_grad():
        together, alone = resampler(features), resampler(features[1:2])
    torch.testing.assert_close(together[1:2], alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["mlp", "transformer"])
def test_the_order_of_frames_matters(kind: str) -> None:
    resampler, features = _resampler(kind), _features(1, 3)
    with torch.no_grad():
        difference = resampler(features) - resampler(features.flip(1))
    assert difference.abs().max() > 1e-3


@pytest.mark.parametrize("kind", ["mlp", "transformer"])
def test_visual_tokens_differ_from_each_other(kind: str) -> None:
    with torch.no_grad():
        tokens = _resampler(kind)(_features(1))[0]
    assert torch.cdist(tokens, tokens).add(torch.eye(4)).min() > 0.1


@pytest.mark.parametrize("kind", ["mlp", "transformer"])
def test_about_as_many_parameters_as_the_perceiver(kind: str) -> None:
    count = sum(value.numel() for value in _resampler(kind).parameters())
    perceiver = sum(value.numel() for value in PerceiverResampler(**SHAPE, **LAYERS).parameters())
    assert count == pytest.approx(perceiver, rel=0.02)

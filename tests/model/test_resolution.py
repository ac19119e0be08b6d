from __future__ import annotations

import pytest
import torch
from transformers import CLIPVisionConfig, SiglipVisionConfig

from flamingo.foundation.errors import ConfigError
from flamingo.model.nfnet import NFNetConfig
from flamingo.model.regions import interpolated_positions
from flamingo.model.resolution import at_resolution
from flamingo.model.vision_encoder import VisionEncoder, build_vision_encoder

VIT = {
    "hidden_size": 24,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
NFNET = {"variant": "custom", "depths": [1, 1], "channels": [16, 24], "image_size": 32}
CONFIGS = {
    "clip": CLIPVisionConfig(**VIT),
    "siglip": SiglipVisionConfig(**VIT),
    "nfnet": NFNetConfig(**NFNET),
}
VITS = ["clip", "siglip"]


def encoder_of(family: str, **settings) -> VisionEncoder:
    torch.manual_seed(0)
    return build_vision_encoder(CONFIGS[family], **settings).eval()


@pytest.mark.parametrize("family", CONFIGS)
def test_the_same_size_is_the_same_encoder(family: str) -> None:
    encoder = encoder_of(family)
    assert at_resolution(encoder, 32) is encoder


@pytest.mark.parametrize("family", CONFIGS)
@torch.no_grad()
def test_twice_the_size_sees_four_times_the_positions(family: str) -> None:
    encoder = encoder_of(family)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    larger = at_resolution(encoder, 64)
    small, large = encoder(torch.zeros(2, 3, 32, 32)), larger(torch.zeros(2, 3, 64, 64))
    assert large.shape == (2, 4 * small.shape[1], small.shape[2])
    assert (larger.image_size, larger.config.image_size) == (64, 64)
    assert (encoder.image_size, encoder.config.image_size) == (32, 32)
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


@pytest.mark.parametrize("family", VITS)
@torch.no_grad()
def test_positions_are_those_that_transformers_interpolates(family: str) -> None:
    encoder = encoder_of(family)
    pixels = torch.randn(1, 3, 64, 64)
    theirs = encoder.body.tower.embeddings(pixels, interpolate_pos_encoding=True)
    ours = at_resolution(encoder, 64).body.tower.embeddings(pixels)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("family", CONFIGS)
@torch.no_grad()
def test_a_picture_shown_larger_looks_alike(family: str) -> None:
    """Flat pictures: each place of the finer grid is near the place of the coarser around it."""
    encoder = encoder_of(family)
    small = encoder(torch.full((1, 3, 32, 32), 0.5))
    large = at_resolution(encoder, 64)(torch.full((1, 3, 64, 64), 0.5))
    side = int(small.shape[1] ** 0.5)
    grid = large.unflatten(1, (2 * side, 2 * side)).movedim(-1, 1)
    pooled = torch.nn.functional.avg_pool2d(grid, 2).flatten(2).transpose(1, 2)
    alike = torch.cosine_similarity(pooled, small, dim=-1).mean()
    shuffled = torch.cosine_similarity(pooled, small.roll(side + 1, dims=1), dim=-1).mean()
    assert alike > 0.8
    assert alike > shuffled


def test_a_class_token_keeps_its_embedding() -> None:
    table = torch.randn(17, 6)
    finer = interpolated_positions(table, 65)
    assert finer.shape == (65, 6)
    assert torch.equal(finer[0], table[0])


def test_twice_as_many_rows_rise_half_as_fast_and_a_constant_stays() -> None:
    rows, columns = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    plane = torch.stack([rows, columns, torch.ones(8, 8)], -1).flatten(0, 1)
    finer = interpolated_positions(plane, 256).unflatten(0, (16, 16))
    assert torch.allclose(finer[4:12, 4:12, 0].diff(dim=0), torch.tensor(0.5), atol=0.1)
    assert torch.allclose(finer[..., 2], torch.ones(16, 16))


@pytest.mark.parametrize("family", VITS)
def test_formats_flags_and_mode_are_kept(family: str) -> None:
    encoder = encoder_of(family).to(torch.bfloat16).train()
    encoder.requires_grad_(False)
    larger = at_resolution(encoder, 64)
    assert larger.training
    assert {value.dtype for value in larger.parameters()} == {torch.bfloat16}
    assert not any(value.requires_grad for value in larger.parameters())


def test_settings_are_kept() -> None:
    encoder = encoder_of("clip", keep_cls=True, feature_layer=-2, mean=(0.0, 0.0, 0.0))
    larger = at_resolution(encoder, 64)
    assert larger.mean == (0.0, 0.0, 0.0)
    with torch.no_grad():
        assert larger(torch.zeros(1, 3, 64, 64)).shape == (1, 65, 24)
    assert larger.settings == {**encoder.settings, "image_size": 64}


@pytest.mark.parametrize("family", CONFIGS)
def test_a_setting_builds_it_at_another_size(family: str) -> None:
    encoder = encoder_of(family, image_size=64)
    assert (encoder.image_size, encoder.config.image_size) == (64, 64)
    assert CONFIGS[family].image_size == 32


@pytest.mark.parametrize(
    ("family", "size", "message"),
    [
        ("clip", 60, r"image_size is 60.*patches of 8 pixels.*for instance 56 or 64"),
        ("siglip", 4, r"image_size is 4.*for instance 8 or 8"),
        ("nfnet", 36, r"image_size is 36.*steps of 8 pixels.*for instance 32 or 40"),
    ],
)
def test_a_size_that_does_not_fit_is_refused(family: str, size: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace(".*", "(?s:.*)")):
        at_resolution(encoder_of(family), size)

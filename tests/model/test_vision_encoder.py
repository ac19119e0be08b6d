from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers import (
    BertConfig,
    CLIPConfig,
    CLIPVisionConfig,
    CLIPVisionModel,
    PreTrainedConfig,
    SiglipVisionConfig,
    SiglipVisionModel,
)

from flamingo.foundation.errors import ConfigError
from flamingo.model.nfnet import NFNetConfig
from flamingo.model.vision_encoder import VisionEncoder, build_vision_encoder

VIT = {
    "hidden_size": 24,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}


def tiny_nfnet(**changes) -> NFNetConfig:
    settings = {"depths": [1, 1], "channels": [16, 24], "image_size": 64, **changes}
    return NFNetConfig(variant="custom", **settings)


def on_meta(config: PreTrainedConfig) -> VisionEncoder:
    with torch.device("meta"):
        return build_vision_encoder(config)


def num_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("variant", ["dm_nfnet_f0", "dm_nfnet_f6", "nfnet_f1"])
def test_published_nfnets_are_3072_wide(variant):
    encoder = on_meta(NFNetConfig(variant=variant))
    assert encoder.width == 3072
    if variant == "dm_nfnet_f6":
        assert num_parameters(encoder) == pytest.approx(435e6, rel=1e-3)


def test_an_nfnet_of_the_paper_gives_one_feature_per_32_pixels():
    encoder = on_meta(NFNetConfig(variant="dm_nfnet_f0"))
    features = encoder(torch.empty(1, 3, 320, 320, device="meta"))
    assert features.shape == (1, 100, 3072)


@pytest.mark.parametrize(
    ("changes", "positions", "width"),
    [
        ({}, 64, 24),
        ({"stem": "3x3_pool", "activation": "relu"}, 64, 24),
        ({"num_features": 40, "has_squeeze_excite": True, "has_extra_conv": True}, 64, 40),
        ({"depths": [1, 1, 1], "channels": [16, 16, 32], "group_size": 8}, 16, 32),
    ],
)
def test_a_custom_nfnet_has_the_grid_that_its_strides_say(changes, positions, width):
    config = tiny_nfnet(**changes)
    encoder = build_vision_encoder(config)
    features = encoder(torch.randn(2, 3, 64, 64))
    assert features.shape == (2, positions, width)
    assert encoder.width == width
    assert encoder.mean == tuple(config.mean)


def test_positions_run_row_by_row_from_the_top_left():
    encoder = build_vision_encoder(tiny_nfnet()).eval()
    pixels = torch.zeros(1, 3, 64, 64)
    changed = pixels.clone()
    changed[:, :, 28:36, 58:64] = 1.0
    with torch.no_grad():
        difference = (encoder(pixels) - encoder(changed)).abs().mean(-1).view(8, 8)
    assert difference[3:5, 7].min() > 10 * difference[0, 0]


def test_an_nfnet_config_survives_being_written_and_read(tmp_path):
    config = tiny_nfnet(mean=[0.5] * 3, activation="relu")
    config.save_pretrained(tmp_path)
    read = NFNetConfig.from_pretrained(tmp_path)
    assert read.model_type == "flamingo_nfnet"
    assert read.to_diff_dict() == config.to_diff_dict()
    assert build_vision_encoder(read).width == 24


def test_mistakes_in_an_nfnet_config_are_named():
    with pytest.raises(ConfigError, match=r"no NFNet named 'nfnet_f9'.*Known names:.*dm_nfnet_f6"):
        build_vision_encoder(NFNetConfig(variant="nfnet_f9"))
    with pytest.raises(ConfigError, match=r"depths has 1 entries .* channels has 2"):
        build_vision_encoder(tiny_nfnet(depths=[1]))
    with pytest.raises(ConfigError, match=r"no stem named '5x5'"):
        build_vision_encoder(tiny_nfnet(stem="5x5"))
    with pytest.raises(ConfigError, match=r"no activation named 'tanh'"):
        build_vision_encoder(tiny_nfnet(activation="tanh"))


def test_clip_patches_are_those_of_the_tower_without_its_class_token():
    encoder = build_vision_encoder(CLIPVisionConfig(**VIT)).eval()
    tower = CLIPVisionModel(CLIPVisionConfig(**VIT)).eval()
    tower.load_state_dict(encoder.body.tower.state_dict())
    pixels = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        expected = tower.post_layernorm(tower(pixels).last_hidden_state)[:, 1:]
        assert torch.equal(encoder(pixels), expected)
    assert encoder.width == 24
    assert encoder.image_size == 32


def test_siglip_patches_are_those_of_the_tower():
    encoder = build_vision_encoder(SiglipVisionConfig(**VIT)).eval()
    tower = SiglipVisionModel(SiglipVisionConfig(**VIT)).eval()
    tower.load_state_dict(encoder.body.tower.state_dict(), strict=False)
    pixels = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(encoder(pixels), tower(pixels).last_hidden_state)
    assert encoder.mean == (0.5, 0.5, 0.5)


def test_the_class_token_and_an_earlier_layer_can_be_taken():
    config = CLIPVisionConfig(**VIT)
    encoder = build_vision_encoder(
        config, keep_cls=True, feature_layer=-2, use_post_norm=False
    ).eval()
    pixels = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        states = encoder.body.tower(pixels, output_hidden_states=True).hidden_states
        assert torch.equal(encoder(pixels), states[-2])
    assert encoder(pixels).shape == (1, 17, 24)


def test_a_two_tower_config_gives_its_vision_tower():
    config = CLIPConfig(vision_config=CLIPVisionConfig(**VIT).to_dict())
    assert build_vision_encoder(config, mean=(0.0, 0.0, 0.0)).mean == (0.0, 0.0, 0.0)


def test_mistakes_about_vision_transformers_are_named():
    with pytest.raises(ConfigError, match=r"'bert' .BertConfig.*Supported: NFNetConfig.*Siglip"):
        build_vision_encoder(BertConfig())
    with pytest.raises(ConfigError, match=r"feature_layer is 4, but this encoder has 3 layers"):
        build_vision_encoder(CLIPVisionConfig(**VIT), feature_layer=4)

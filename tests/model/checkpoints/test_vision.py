from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, CLIPModel, CLIPVisionConfig, CLIPVisionModel, SiglipVisionModel

from flamingo.foundation.errors import CheckpointError
from flamingo.model.build import build_flamingo
from flamingo.model.checkpoints.vision import load_vision_encoder, save_vision_encoder
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.resolution import at_resolution
from flamingo.model.vision_encoder import build_vision_encoder
from tests.families import tiny_lm
from tests.model.test_resolution import CONFIGS, VIT, VITS, encoder_of


@pytest.mark.parametrize("family", CONFIGS)
@torch.no_grad()
def test_what_is_written_is_read(family: str, tmp_path: Path) -> None:
    encoder = encoder_of(family)
    save_vision_encoder(encoder, tmp_path)
    pixels = torch.randn(1, 3, 32, 32)
    assert torch.equal(load_vision_encoder(tmp_path).eval()(pixels), encoder(pixels))


@pytest.mark.parametrize("family", CONFIGS)
@torch.no_grad()
def test_the_same_size_changes_no_bit(family: str, tmp_path: Path) -> None:
    encoder = encoder_of(family)
    save_vision_encoder(encoder, tmp_path)
    pixels = torch.randn(1, 3, 32, 32)
    same = load_vision_encoder(tmp_path, image_size=32).eval()
    assert torch.equal(same(pixels), encoder(pixels))


@pytest.mark.parametrize("family", CONFIGS)
@torch.no_grad()
def test_another_size_survives_being_written_and_read(family: str, tmp_path: Path) -> None:
    save_vision_encoder(encoder_of(family), tmp_path / "small")
    larger = load_vision_encoder(tmp_path / "small", image_size=64).eval()
    save_vision_encoder(larger, tmp_path / "large")
    again = load_vision_encoder(tmp_path / "large").eval()
    pixels = torch.randn(1, 3, 64, 64)
    assert again.image_size == 64
    assert torch.equal(again(pixels), larger(pixels))


@pytest.mark.parametrize(
    ("family", "kind"), [("clip", CLIPVisionModel), ("siglip", SiglipVisionModel)]
)
def test_transformers_reads_what_we_write(family: str, kind: type, tmp_path: Path) -> None:
    encoder = encoder_of(family)
    save_vision_encoder(encoder, tmp_path)
    tower, info = kind.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    with torch.no_grad():
        pixels = torch.randn(1, 3, 32, 32)
        theirs = tower(pixels).last_hidden_state
        if family == "clip":
            theirs = tower.post_layernorm(theirs)[:, 1:]
        torch.testing.assert_close(theirs, encoder(pixels), rtol=0, atol=1e-6)


@torch.no_grad()
def test_the_vision_tower_of_a_two_tower_model_is_found(tmp_path: Path) -> None:
    text = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "vocab_size": 30}
    config = CLIPConfig(
        text_config={**text, "num_attention_heads": 2}, vision_config=VIT, projection_dim=8
    )
    both = CLIPModel(config).eval()
    both.save_pretrained(tmp_path)
    pixels = torch.randn(1, 3, 32, 32)
    theirs = both.vision_model(pixels).last_hidden_state
    ours = load_vision_encoder(tmp_path).eval()
    expected = both.vision_model.post_layernorm(theirs)[:, 1:]
    torch.testing.assert_close(ours(pixels), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("family", VITS)
def test_a_missing_weight_is_not_made_up(family: str, tmp_path: Path) -> None:
    save_vision_encoder(encoder_of(family), tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["encoder.layers.1.mlp.fc1.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"Missing: \['encoder\.layers\.1\.mlp\.fc1\.weight"):
        load_vision_encoder(tmp_path)


@pytest.mark.parametrize("is_full", [True, False])
def test_a_flamingo_remembers_the_size_of_its_encoder(is_full: bool, tmp_path: Path) -> None:
    language_model, source = tiny_lm("llama"), tmp_path / "vision"
    save_vision_encoder(build_vision_encoder(CLIPVisionConfig(**VIT)), source)
    model = build_flamingo(
        language_model,
        at_resolution(load_vision_encoder(source), 64),
        eoc_token_id=50,
        num_latents=2,
        resampler_layers=1,
        vision_encoder_source=str(source),
        language_model_source="given below",
    )
    model.save_pretrained(tmp_path / "model", full=is_full)
    given = {} if is_full else {"language_model": tiny_lm("llama")}
    loaded = FlamingoForConditionalGeneration.from_pretrained(tmp_path / "model", **given)
    assert loaded.vision_encoder.image_size == 64
    assert loaded.config.vision_config.image_size == 64
    for name, value in model.vision_encoder.state_dict().items():
        assert torch.equal(loaded.vision_encoder.state_dict()[name], value), name

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from transformers import SiglipVisionConfig

from flamingo.data.captions import CaptionTokenizer
from flamingo.evaluation.two_towers import ContrastiveEmbedder, TwoTowers
from flamingo.foundation.errors import CheckpointError
from flamingo.model.checkpoints.contrastive import TEXT, load_contrastive, save_contrastive
from flamingo.model.checkpoints.vision import load_vision_encoder, save_vision_encoder
from flamingo.model.contrastive import ContrastiveModel, build_text_tower
from flamingo.model.nfnet import NFNetConfig
from flamingo.model.vision_encoder import build_vision_encoder
from flamingo.sequence import Visual
from tests.data.tokenizers_for_tests import byte_level_bpe

NFNET = NFNetConfig(variant="custom", depths=[1], channels=[16], image_size=16)
SIGLIP = SiglipVisionConfig(
    hidden_size=16,
    intermediate_size=32,
    num_hidden_layers=1,
    num_attention_heads=2,
    image_size=16,
    patch_size=8,
)


def model_with(vision: NFNetConfig | SiglipVisionConfig) -> ContrastiveModel:
    torch.manual_seed(0)
    text = build_text_tower(
        vocab_size=len(byte_level_bpe()), dim=16, num_layers=1, num_heads=2, max_tokens=12
    )
    return ContrastiveModel(build_vision_encoder(vision), text, dim=8).eval()


def embedder(rows_at_once: int = 64) -> ContrastiveEmbedder:
    captions = CaptionTokenizer(byte_level_bpe(), 12)
    return ContrastiveEmbedder(model_with(NFNET), captions, device="cpu", rows_at_once=rows_at_once)


def pictures(num: int, num_frames: int = 1) -> list[Visual]:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (num, num_frames, 20, 30, 3), np.uint8)
    return [Visual(one) for one in frames]


def test_it_is_what_the_evaluations_ask_for() -> None:
    assert isinstance(embedder(), TwoTowers)


def test_places_do_not_depend_on_how_many_are_embedded_together() -> None:
    visuals, texts = [*pictures(3), *pictures(2, num_frames=3)], ["a cat", "im", "abcdef"]
    together, alone = embedder(64), embedder(2)
    assert torch.allclose(together.visuals(visuals), alone.visuals(iter(visuals)), atol=1e-6)
    assert torch.allclose(together.texts(texts), alone.texts(texts), atol=1e-6)


def test_a_video_lies_at_the_mean_of_its_frames() -> None:
    towers, [video] = embedder(), pictures(1, num_frames=3)
    frames = [Visual(video.frames[number : number + 1]) for number in range(3)]
    expected = F.normalize(towers.visuals(frames).mean(0), dim=0)
    assert torch.allclose(towers.visuals([video])[0], expected, atol=1e-6)


def test_nothing_has_no_place() -> None:
    assert embedder().visuals([]).shape == embedder().texts([]).shape == (0, 8)


@pytest.mark.parametrize("vision", [NFNET, SIGLIP], ids=["nfnet", "siglip"])
def test_both_towers_load_again_and_the_vision_encoder_alone(
    vision: NFNetConfig | SiglipVisionConfig, tmp_path: Path
) -> None:
    model = model_with(vision)
    with torch.no_grad():
        model.log_inverse_temperature += 0.5
    save_contrastive(model, tmp_path)
    byte_level_bpe().save_pretrained(tmp_path / TEXT)
    again = load_contrastive(tmp_path)
    for name, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name
    pixels = torch.randn(2, 3, 16, 16)
    encoder = load_vision_encoder(tmp_path).eval()
    assert torch.equal(encoder(pixels), model.vision_encoder(pixels))
    towers = ContrastiveEmbedder.from_pretrained(tmp_path, device="cpu")
    captions = CaptionTokenizer(byte_level_bpe(), 12)
    with torch.no_grad():
        expected = model.embed_text(*captions(["a cat of more than twelve tokens"]))
    assert torch.allclose(towers.texts(["a cat of more than twelve tokens"]), expected, atol=1e-6)


def test_a_vision_encoder_alone_is_not_both_towers(tmp_path: Path) -> None:
    save_vision_encoder(model_with(NFNET).vision_encoder, tmp_path)
    with pytest.raises(CheckpointError, match="no text tower"):
        load_contrastive(tmp_path)


def test_weights_that_are_missing_are_named(tmp_path: Path) -> None:
    save_contrastive(model_with(NFNET), tmp_path)
    path = tmp_path / TEXT / "model.safetensors"
    weights = load_file(path)
    del weights["log_inverse_temperature"]
    save_file(weights, path)
    with pytest.raises(CheckpointError, match=r"Missing: \['log_inverse_temperature'\]"):
        load_contrastive(tmp_path)

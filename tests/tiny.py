"""A tiny random Flamingo with open gates and randomized norms, and inputs for it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import CLIPVisionConfig

from flamingo.model.build import build_flamingo
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.vision_encoder import VisionEncoder, build_vision_encoder
from tests.families import VOCABULARY, tiny_lm

IMAGE, EOC = VOCABULARY, VOCABULARY + 1
SIZE = 16


def tiny_encoder() -> VisionEncoder:
    config = CLIPVisionConfig(
        hidden_size=24,
        intermediate_size=48,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=SIZE,
        patch_size=8,
    )
    return build_vision_encoder(config)


def tiny_flamingo(
    family: str = "llama",
    dtype: torch.dtype = torch.float32,
    *,
    is_open: bool = True,
    **settings: Any,
) -> FlamingoForConditionalGeneration:
    """A Flamingo around `tiny_lm(family)`, gated before layers 0 and 2, with 4 visual tokens."""
    torch.manual_seed(1)
    chosen = {
        "num_latents": 4,
        "resampler_layers": 2,
        "resampler_heads": 2,
        "resampler_head_dim": 8,
        "xattn_every": 2,
        **settings,
    }
    model = build_flamingo(
        tiny_lm(family, dtype),
        tiny_encoder().to(dtype),
        image_token_id=IMAGE,
        eoc_token_id=EOC,
        eos_token_id=1,
        pad_token_id=2,
        **chosen,
    )
    if is_open:
        randomize(model)
    return model.to(dtype).eval()


def randomize(model: FlamingoForConditionalGeneration) -> None:
    """Opens the gates and moves every norm away from the identity."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "alpha" in name:
                parameter.uniform_(0.5, 1.5)
            elif "norm" in name and parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.3)


def inputs(
    batch: int = 2, *, num_visuals: int = 2, num_frames: int = 1, seed: int = 0
) -> dict[str, Tensor]:
    """Rows like "w w w <image> w w w <image> w w w w", each with its own pixels."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(3, VOCABULARY, (batch, 3 + 4 * num_visuals + 1), generator=generator)
    index = torch.zeros_like(ids)
    for number in range(num_visuals):
        start = 3 + 4 * number
        ids[:, start] = IMAGE
        index[:, start:] = number + 1
    shape = (batch, num_visuals, num_frames, 3, SIZE, SIZE)
    return {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "visual_index": index,
        "pixel_values": torch.randn(shape, generator=generator),
    }

"""Flamingos of about 10 million parameters around different pretrained parts, and real batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    CLIPVisionConfig,
    GPTNeoXConfig,
    LlamaConfig,
    PreTrainedConfig,
    Qwen3Config,
)

from flamingo.data.batching import Batch
from flamingo.model.build import build_flamingo
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.nfnet import NFNetConfig
from flamingo.model.vision_encoder import build_vision_encoder
from flamingo.presets.step_cost import BatchShape

VOCABULARY = 6_000
COMMON = {"vocab_size": VOCABULARY, "hidden_size": 384}

LLAMA = LlamaConfig(
    **COMMON, intermediate_size=1152, num_hidden_layers=4, num_attention_heads=6,
    tie_word_embeddings=True,
)  # fmt: skip
QWEN = Qwen3Config(
    **COMMON, intermediate_size=768, num_hidden_layers=3, num_attention_heads=8,
    num_key_value_heads=2, head_dim=64,
)  # fmt: skip
NEOX = GPTNeoXConfig(
    **COMMON, intermediate_size=1536, num_hidden_layers=3, num_attention_heads=6
)  # fmt: skip
VIT = CLIPVisionConfig(
    hidden_size=192, intermediate_size=768, num_hidden_layers=2, num_attention_heads=3,
    image_size=96, patch_size=16,
)  # fmt: skip
NFNET = NFNetConfig(
    variant="custom", image_size=64, depths=(1, 1, 1, 1), channels=(32, 64, 128, 256), stem="3x3"
)


@dataclass(frozen=True)
class Case:
    """A model and a batch for it."""

    language_model: PreTrainedConfig
    vision: PreTrainedConfig
    every: int
    shape: BatchShape
    precision: str = "fp32"

    def model(self) -> FlamingoForConditionalGeneration:
        torch.manual_seed(0)
        model = build_flamingo(
            AutoModelForCausalLM.from_config(self.language_model),
            build_vision_encoder(self.vision),
            image_token_id=VOCABULARY,
            eoc_token_id=VOCABULARY + 1,
            resampler_dim=256,
            resampler_layers=1,
            resampler_heads=4,
            resampler_head_dim=64,
            num_latents=32,
            xattn_every=self.every,
        )
        if self.precision == "bf16":
            for parameter in model.parameters():
                if not parameter.requires_grad:
                    parameter.data = parameter.data.to(torch.bfloat16)
        return model


CASES = {
    # Not one of them was used to find a formula: there is none that was fitted.
    "pages": Case(LLAMA, VIT, 2, BatchShape("pages", rows=2, tokens=128, visuals=3)),
    "clips": Case(QWEN, NFNET, 1, BatchShape("clips", rows=3, tokens=48, frames=4)),
    "pairs": Case(NEOX, VIT, 3, BatchShape("pairs", rows=8, tokens=32), precision="bf16"),
}


def batch_of(case: Case, shape: BatchShape | None = None, seed: int = 0) -> Batch:
    """A batch with contents, of the case's shape or another one."""
    shape = shape or case.shape
    generator = torch.Generator().manual_seed(seed)
    size: Any = case.vision.image_size
    ids = torch.randint(0, VOCABULARY, (shape.rows, shape.tokens), generator=generator)
    index = torch.arange(shape.tokens) * shape.visuals // shape.tokens + 1
    frames = (shape.rows, shape.visuals, shape.frames)
    return Batch(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        visual_index=index.expand(shape.rows, -1).contiguous(),
        labels=ids,
        loss_weights=torch.ones(ids.shape),
        pixel_values=torch.randn(*frames, 3, size, size, generator=generator),
        frame_mask=torch.ones(frames, dtype=torch.bool),
    )

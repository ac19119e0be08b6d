"""Builds a preset's model, by default without memory for its weights."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from flamingo.model.build import build_flamingo
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.nfnet import NFNetConfig
from flamingo.model.vision_encoder import build_vision_encoder
from flamingo.presets.models import LanguageModelShape, ModelPreset, VisionShape


def build_preset(
    preset: ModelPreset, *, device: str | torch.device = "meta"
) -> FlamingoForConditionalGeneration:
    """The model of `preset` with random weights, its pretrained parts frozen.

    On the device "meta" tensors have shapes and no contents, so that any model fits anywhere.
    """
    shape = preset.language_model
    with torch.device(device):
        return build_flamingo(
            AutoModelForCausalLM.from_config(language_model_config(shape)),
            build_vision_encoder(vision_config(preset.vision)),
            image_token_id=shape.vocabulary,
            eoc_token_id=shape.vocabulary + 1,
            **bridge_settings(preset),
        )


def language_model_config(shape: LanguageModelShape) -> LlamaConfig:
    """The stock language model nearest to the paper's, see `docs/deviations.md`."""
    return LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.dim,
        intermediate_size=shape.feed_forward_dim,
        num_hidden_layers=shape.num_layers,
        num_attention_heads=shape.num_heads,
        num_key_value_heads=shape.num_heads,
        hidden_act="gelu",
        max_position_embeddings=shape.context,
        tie_word_embeddings=True,
    )


def vision_config(shape: VisionShape) -> NFNetConfig:
    """The vision encoder's configuration."""
    return NFNetConfig(variant=shape.variant, image_size=shape.image_size)


def bridge_settings(preset: ModelPreset) -> dict[str, Any]:
    """What `build_flamingo` is told about the resampler and the gated layers."""
    resampler = preset.resampler
    return {
        "resampler_dim": resampler.dim,
        "resampler_layers": resampler.num_layers,
        "resampler_heads": resampler.num_heads,
        "resampler_head_dim": resampler.head_dim,
        "num_latents": resampler.num_latents,
        "num_time_embeddings": resampler.num_trained_frames,
        "xattn_every": preset.every,
        "xattn_head_dim": preset.gated_head_dim,
    }

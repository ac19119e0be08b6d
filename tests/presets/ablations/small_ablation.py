"""An ablation of a few seconds: tiny parts, tiny bridge, two steps, two queries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from flamingo.miniature.language_model import LanguageModelShape, build_language_model
from flamingo.miniature.tokenizer import build_tokenizer
from flamingo.model.checkpoints.vision import save_vision_encoder
from flamingo.model.nfnet import NFNetConfig
from flamingo.model.vision_encoder import build_vision_encoder
from flamingo.presets.ablations.config import AblationConfig

BRIDGE = (
    "model.num_latents=4",
    "model.resampler_positions=0",
    "model.resampler_local_latents=0",
    "model.resampler_dim=16",
    "model.resampler_heads=2",
    "model.resampler_head_dim=8",
    "data.alignment_batch=1",
    "data.pages=1",
    "data.pairs=1",
    "data.clips=1",
    "data.questions=0",
)
FIRST_STAGE = (
    "data.batch_size=4",
    "towers.text_layers=1",
    "probe.num_train=20",
    "probe.num_test=5",
)


def write_small_parts(folder: Path) -> dict[str, Path]:
    """A vision encoder and a language model of the miniature's kinds, with random weights."""
    torch.manual_seed(0)
    vision, language = folder / "vision", folder / "language"
    config = NFNetConfig(
        variant="custom", depths=[1], channels=[16], stem_channels=16, image_size=64,
        mean=[0.5] * 3, std=[0.25] * 3,
    )  # fmt: skip
    save_vision_encoder(build_vision_encoder(config), vision)
    tokenizer = build_tokenizer()
    shape = LanguageModelShape(num_layers=6, dim=16, feed_forward_dim=16, num_heads=2)
    build_language_model(shape, tokenizer).save_pretrained(language)
    tokenizer.save_pretrained(language)
    return {"vision": vision, "language": language}


def small_config(parts: dict[str, Path], **changed: Any) -> AblationConfig:
    """Its settings."""
    settings: dict[str, Any] = {
        "steps": 2,
        "vision_steps": 2,
        "batch_scale": 1.0,
        "tasks": ("question-count",),
        "shots": 1,
        "queries": 2,
        "device": "cpu",
        "settings": BRIDGE,
        "vision_settings": FIRST_STAGE,
        **parts,
    }
    return AblationConfig(**{**settings, **changed})

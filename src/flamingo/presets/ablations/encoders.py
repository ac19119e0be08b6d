"""The vision encoders that some rows train for themselves, by the miniature's first stage."""

from __future__ import annotations

from dataclasses import dataclass, field

from transformers import SiglipVisionConfig

from flamingo.model.vision_encoder import build_vision_encoder
from flamingo.presets.ablations.config import AblationConfig
from flamingo.presets.recipe import Ingredients, Recipe
from flamingo.presets.training.miniature_vision import RECIPE as NFNET
from flamingo.presets.training.miniature_vision import MiniatureVisionConfig, around


@dataclass(frozen=True)
class ViTShape:
    """A vision transformer of SigLIP's kind; 64 patches of a picture of 64 pixels."""

    dim: int = 128
    layers: int = 4
    heads: int = 4
    patch_size: int = 8


@dataclass(frozen=True)
class ViTStage(MiniatureVisionConfig):
    """The first stage around a vision transformer."""

    vit: ViTShape = field(default_factory=ViTShape)


def _build(config: ViTStage) -> Ingredients:
    shape = config.vit
    vision = SiglipVisionConfig(
        hidden_size=shape.dim,
        intermediate_size=4 * shape.dim,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        image_size=config.towers.image_size,
        patch_size=shape.patch_size,
    )
    return around(build_vision_encoder(vision), config)


VIT = Recipe(
    name="miniature-vision-vit",
    description="the first stage of the miniature around a vision transformer",
    config=ViTStage(),
    build=_build,
)

ENCODERS: dict[str, Recipe] = {
    "vision-brief": NFNET,
    "vision-small": NFNET.with_overrides(
        ["towers.depths=[1, 2]", "towers.channels=[32, 96]", "towers.stem_channels=32"]
    ),
    # A transformer takes a lower rate than a network of convolutions.
    "vision-vit": VIT.with_overrides(["training.learning_rate=1e-3"]),
}


def encoder_recipe(name: str, config: AblationConfig) -> Recipe:
    """The first stage of an encoder at the budget of an ablation; probed once, at its end."""
    return ENCODERS[name].with_overrides(
        [
            f"training.steps={config.vision_steps}",
            f"training.warmup_steps={min(50, config.vision_steps // 10)}",
            f"training.checkpoint_every={config.checkpoint_every}",
            f"training.device={config.device}",
            f"probe.every={config.vision_steps}",
            "training.threads=1",
            "training.keep_checkpoints=1",
            *config.vision_settings,
        ]
    )

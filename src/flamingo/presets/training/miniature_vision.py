"""The first stage of the miniature: a small vision encoder, from scratch, on captioned scenes.

    flamingo train miniature-vision --out runs/miniature-vision

The paper trains an NFNet-F6 and a BERT on ALIGN and LTIP (App. B.1.3); this is the same objective
at the size of one CPU core. Retrieval looks finished long before every attribute is in the
features, so a probe reads them out every now and then; the next stage needs each of them at 0.95.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from flamingo.miniature.contrastive_data import MAX_TOKENS, WORDS, ContrastiveSource
from flamingo.miniature.vision_probe import probe, probe_signs
from flamingo.model.checkpoints.vision import save_vision_encoder
from flamingo.model.contrastive import ContrastiveModel, build_text_tower
from flamingo.model.nfnet import NFNetConfig
from flamingo.model.vision_encoder import VisionEncoder, build_vision_encoder
from flamingo.presets.recipe import Ingredients, Recipe
from flamingo.training.config import TrainingConfig
from flamingo.training.contrastive_objective import ContrastiveObjective
from flamingo.training.reporting import StepReport

TRAINING = TrainingConfig(
    steps=1900,
    warmup_steps=50,
    learning_rate=2e-3,
    schedule="cosine",
    final_learning_rate_fraction=0.01,
    weight_decay=0.01,
    betas=(0.9, 0.98),
    precision="bf16",
    threads=1,
    checkpoint_every=200,
)
"""About 30 minutes on one core; the paper takes 1.2 million steps of 16,384 pairs."""


@dataclass(frozen=True)
class TowerSettings:
    """The two towers; see `NFNetConfig` and `build_text_tower`."""

    depths: tuple[int, ...] = (2, 5)
    channels: tuple[int, ...] = (64, 192)
    stem: str = "deep_quad"
    stem_channels: int = 64
    activation: str = "relu"
    image_size: int = 64
    mean: float = 0.5
    std: float = 0.25
    text_dim: int = 128
    text_layers: int = 2
    text_heads: int = 4
    shared_dim: int = 128


@dataclass(frozen=True)
class DataSettings:
    """Pictures per step, and what they show."""

    seed: int = 0
    batch_size: int = 256
    glyph_share: float = 0.125
    sign_share: float = 0.125


@dataclass(frozen=True)
class ProbeSettings:
    """How often the features are probed, and with how many scenes; never if `every` is 0."""

    every: int = 400
    num_train: int = 3000
    num_test: int = 500


@dataclass(frozen=True)
class MiniatureVisionConfig:
    """All settings of this stage."""

    training: TrainingConfig = TRAINING
    towers: TowerSettings = field(default_factory=TowerSettings)
    data: DataSettings = field(default_factory=DataSettings)
    probe: ProbeSettings = field(default_factory=ProbeSettings)
    label_smoothing: float = 0.1


def build(config: MiniatureVisionConfig) -> Ingredients:
    """The two towers with random weights, and the source of captioned scenes."""
    return around(_vision_encoder(config.towers), config)


def around(encoder: VisionEncoder, config: MiniatureVisionConfig) -> Ingredients:
    """The same around an encoder of any kind; that of `config.towers` is not built."""
    towers = config.towers
    text_tower = build_text_tower(
        vocab_size=len(WORDS),
        dim=towers.text_dim,
        num_layers=towers.text_layers,
        num_heads=towers.text_heads,
        max_tokens=MAX_TOKENS,
    )
    model = ContrastiveModel(encoder, text_tower, dim=towers.shared_dim)
    source = ContrastiveSource(
        seed=config.data.seed,
        batch_size=config.data.batch_size,
        mean=encoder.mean,
        std=encoder.std,
        size=encoder.image_size,
        glyph_share=config.data.glyph_share,
        sign_share=config.data.sign_share,
    )

    def export(folder: Path) -> None:
        save_vision_encoder(encoder, folder)

    return Ingredients(
        # Convolutions are faster with the channels innermost; the numbers are the same.
        model=model.to(memory_format=torch.channels_last),  # type: ignore[call-overload]
        objective=ContrastiveObjective(config.label_smoothing),
        sources=[source],
        export=export,
        on_step=[_probing(encoder, config.probe, config.training)] if config.probe.every else (),
    )


def _vision_encoder(towers: TowerSettings) -> VisionEncoder:
    return build_vision_encoder(
        NFNetConfig(
            variant="custom",
            image_size=towers.image_size,
            mean=[towers.mean] * 3,
            std=[towers.std] * 3,
            depths=list(towers.depths),
            channels=list(towers.channels),
            stem=towers.stem,
            stem_channels=towers.stem_channels,
            activation=towers.activation,
        )
    )


def _probing(
    encoder: VisionEncoder, settings: ProbeSettings, training: TrainingConfig
) -> Callable[[StepReport], dict[str, float]]:
    """Logs how well each attribute can be read out, on train and on held-out pairs, and signs."""

    def report(step: StepReport) -> dict[str, float]:
        if step.step % settings.every and step.step != training.steps:
            return {}
        found = probe(encoder, num_train=settings.num_train, num_test=settings.num_test)
        signs = probe_signs(encoder, num_train=settings.num_train, num_test=settings.num_test)
        kinds = {"train": found.train_pairs, "held_out": {**found.held_out_pairs, **signs}}
        return {
            f"probe_{attribute}_{kind}": accuracy
            for kind, accuracies in kinds.items()
            for attribute, accuracy in accuracies.items()
        }

    return report


RECIPE = Recipe(
    name="miniature-vision",
    description="first stage of the miniature: a contrastively trained vision encoder",
    config=MiniatureVisionConfig(),
    build=build,
)

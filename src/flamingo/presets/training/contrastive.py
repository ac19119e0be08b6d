r"""A vision encoder from scratch, by matching pictures with their captions, on your own data.

    flamingo train contrastive --out runs/contrastive \
        model.tokenizer=my-tokenizer data.pairs.path='pairs/{000..999}.tar'

The defaults are the paper's (App. B.1.3): an NFNet-F6 at 288 pixels, 1,376 shared dimensions,
16,384 pairs per update, 1.2 million updates, Adam. It took 512 TPU chips; for fewer machines lower
`data.pairs.batch` and `training.steps`, and set `rows_at_once`. More data sets are further entries
of `data`, each with its own batch and λ, and negatives stay within each.

`runs/contrastive/model` is then a vision encoder for the next stage, and both towers for
`flamingo retrieve`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from flamingo.data.captions import CaptionTokenizer
from flamingo.data.contrastive_batches import ContrastivePairs, build_contrastive_pairs
from flamingo.data.datasets import DatasetConfig
from flamingo.data.transforms import VisualTransform
from flamingo.foundation.errors import ConfigError
from flamingo.model.checkpoints.contrastive import TEXT, save_contrastive
from flamingo.model.contrastive import ContrastiveModel, build_text_tower
from flamingo.model.nfnet import NFNetConfig
from flamingo.model.vision_encoder import VisionEncoder, build_vision_encoder
from flamingo.presets.flamingo_training import NOWHERE
from flamingo.presets.pretrained_parts import vision_encoder
from flamingo.presets.recipe import Ingredients, Recipe
from flamingo.training.config import TrainingConfig
from flamingo.training.contrastive_objective import ContrastiveObjective

TRAINING = TrainingConfig(
    steps=1_200_000,
    warmup_steps=0,
    learning_rate=1e-3,
    schedule="linear",
    weight_decay=0.0,
    betas=(0.9, 0.999),
    clip_norm=10.0,
    adaptive_clip=0.01,
    precision="bf16",
    num_workers=8,
    checkpoint_every=1_000,
)
"""Adam is AdamW without decay. Its β, the warm-up and the decay are not in the paper."""


@dataclass(frozen=True)
class TowerSettings:
    """The two towers.

    Args:
        tokenizer: a folder with a tokenizer of transformers, or its hub name; must be given.
        vision_variant: which NFNet to train from random weights; see `NFNetConfig`.
        vision: a folder or hub name of an encoder to go on from instead.
        image_size: height and width in pixels.
        drop_path_rate: share of the NFNet's residual branches that training skips.
        text_dim: width of the text tower. The paper does not say how large it was; this is
            BERT-Large, as in the work on ALIGN. Its ablations have 256, 4 and 4 (BERT-mini).
        text_layers: layers of the text tower.
        text_heads: attention heads of the text tower.
        max_tokens: the longest caption; also the limit for a data set's own `max_tokens`.
        shared_dim: width of the space in which pictures and captions meet.
    """

    tokenizer: str | None = None
    vision_variant: str = "dm_nfnet_f6"
    vision: str | None = None
    image_size: int = 288
    drop_path_rate: float = 0.0
    text_dim: int = 1_024
    text_layers: int = 24
    text_heads: int = 16
    max_tokens: int = 64
    shared_dim: int = 1_376


@dataclass(frozen=True)
class ContrastiveConfig:
    """All settings of this stage.

    Args:
        training: how to train.
        model: the towers.
        data: what to learn from, all of kind "pairs"; what only concerns interleaved text
            (`space_probability`, …) is without effect.
        validation: what to look at and not to learn from, in stored order.
        label_smoothing: share of the target that is spread over the batch.
        rows_at_once: see `ContrastiveObjective`; none: a process embeds all of its rows together.
    """

    training: TrainingConfig = TRAINING
    model: TowerSettings = field(default_factory=TowerSettings)
    data: dict[str, DatasetConfig] = field(
        default_factory=lambda: {"pairs": DatasetConfig("pairs", NOWHERE, batch=16_384)}
    )
    validation: dict[str, DatasetConfig] = field(default_factory=dict)
    label_smoothing: float = 0.1
    rows_at_once: int | None = None


def build(config: ContrastiveConfig) -> Ingredients:
    """The two towers, and the user's pairs.

    Raises:
        ConfigError: the tokenizer or a place of data is not given, or settings contradict each
            other.
        CheckpointError: the encoder to go on from is not where it should be.
        DataError: a data set is not where it should be.
    """
    towers = config.model
    _check_places(config)
    captions = CaptionTokenizer.from_folder(str(towers.tokenizer), towers.max_tokens)
    encoder = _vision_encoder(towers)
    text = build_text_tower(
        vocab_size=captions.vocab_size,
        dim=towers.text_dim,
        num_layers=towers.text_layers,
        num_heads=towers.text_heads,
        max_tokens=towers.max_tokens,
        pad_id=captions.pad_id,
    )
    model = ContrastiveModel(encoder, text, dim=towers.shared_dim)

    def export(folder: Path) -> None:
        save_contrastive(model, folder)
        captions.tokenizer.save_pretrained(folder / TEXT)

    return Ingredients(
        # Convolutions are faster with the channels innermost; the numbers are the same.
        model=model.to(memory_format=torch.channels_last),  # type: ignore[call-overload]
        objective=ContrastiveObjective(config.label_smoothing, config.rows_at_once),
        sources=_sources(config.data, captions, encoder),
        validation=_sources(_as_stored(config.validation), captions, encoder),
        export=export,
    )


def _check_places(config: ContrastiveConfig) -> None:
    """Before anything large is built."""
    if config.model.tokenizer is None:
        raise ConfigError(
            "The text tower needs a tokenizer. Say where one is: model.tokenizer=FOLDER, with "
            "tokenizer.json in it, or the name of one on the hub."
        )
    if not config.data:
        raise ConfigError(
            "There is nothing to train on: no data set is given.\nName one, its kind and its "
            "place, for instance data.mine.kind=pairs data.mine.path='pairs/*.tar'."
        )
    for section in ("data", "validation"):
        for name, dataset in getattr(config, section).items():
            if dataset.path == NOWHERE:
                here = f"{section}.{name}"
                raise ConfigError(
                    f"{here}.path is not given.\nSay where the pictures and captions are: "
                    f"{here}.path='pairs/*.tar' (or a folder, or JSON lines), or leave the data "
                    f"set out: {here}=null."
                )


def _as_stored(data: Mapping[str, DatasetConfig]) -> dict[str, DatasetConfig]:
    return {name: replace(config, shuffle=False) for name, config in data.items()}


def _vision_encoder(towers: TowerSettings) -> VisionEncoder:
    if towers.vision is not None:
        return vision_encoder(towers.vision, image_size=towers.image_size)
    return build_vision_encoder(
        NFNetConfig(
            variant=towers.vision_variant,
            image_size=towers.image_size,
            drop_path_rate=towers.drop_path_rate,
        )
    )


def _sources(
    data: Mapping[str, DatasetConfig], captions: CaptionTokenizer, encoder: VisionEncoder
) -> list[ContrastivePairs]:
    transform = VisualTransform(encoder.image_size, encoder.mean, encoder.std)
    return [
        build_contrastive_pairs(name, config, captions, transform) for name, config in data.items()
    ]


RECIPE = Recipe(
    name="contrastive",
    description="a vision encoder from scratch, by matching your own pictures and captions",
    config=ContrastiveConfig(),
    build=build,
)

"""A training run of a Flamingo on data sets of one's own: its settings, and what they describe.

The recipes `flamingo`, `flamingo-3b`, `siglip-qwen`, `finetune` and others differ in values only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from flamingo.data.datasets import DatasetConfig, DatasetSource, build_dataset
from flamingo.data.processor import FlamingoProcessor
from flamingo.foundation.errors import ConfigError
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.presets.bridge import Assembled, ModelSettings, assemble
from flamingo.presets.feature_manifest import check_features
from flamingo.presets.pretrained_parts import DTYPES
from flamingo.presets.recipe import Ingredients
from flamingo.training.config import TrainingConfig
from flamingo.training.gates import watch_gates
from flamingo.training.objective import FlamingoObjective
from flamingo.training.reporting import Probe
from flamingo.training.samples import watch_samples
from flamingo.training.sources import Source

NOWHERE = "???"
"""The path of a data set that a recipe knows of, and its user must say the place of."""

_EXAMPLE = "data.mine.kind=pairs data.mine.path='shards/*.tar'"


@dataclass(frozen=True)
class FlamingoTraining:
    """All settings of such a run.

    Args:
        model: which model, and what of it is trained.
        data: what it learns from; the names are free.
        validation: what it is looked at with, in stored order and without augmentation.
        training: how it is trained.
    """

    model: ModelSettings = field(default_factory=ModelSettings)
    data: dict[str, DatasetConfig] = field(default_factory=dict)
    validation: dict[str, DatasetConfig] = field(default_factory=dict)
    training: TrainingConfig = field(default_factory=TrainingConfig)


def build(config: FlamingoTraining) -> Ingredients:
    """The model with its frozen parts loaded, and its data sets opened.

    Raises:
        ConfigError: there is no data, a place is not given, or settings contradict each other.
        CheckpointError: a pretrained part is not where it should be.
        DataError: a data set is not where it should be.
    """
    # Before anything large is loaded.
    check_places(config)
    made = assemble(config.model)
    validation = _sources("validation", config.validation, made)
    return Ingredients(
        model=made.model,
        objective=FlamingoObjective(z_loss=config.training.z_loss),
        sources=_sources("data", config.data, made),
        validation=validation,
        export=exporter(made.model, made.processor, config.model),
        on_step=[
            watch_gates(every=config.training.log_every),
            *_samples(config.training.sample_every, validation, made),
        ],
    )


def _samples(every: int, validation: Sequence[Source], made: Assembled) -> list[Probe]:
    """Texts for a few validation visuals, where they are asked for."""
    if not (every and validation):
        return []
    tokenizer: Any = made.processor.tokenizer
    return [watch_samples(validation, tokenizer.decode, every=every)]


def check_places(config: FlamingoTraining) -> None:
    """Refuses a run without data, or with data of which only the kind is known.

    Raises:
        ConfigError: as said.
    """
    if not config.data:
        raise ConfigError(
            "There is nothing to train on: no data set is given.\n"
            f"Name one, its kind and its place, for instance {_EXAMPLE}."
        )
    for section in ("data", "validation"):
        for name, dataset in getattr(config, section).items():
            if dataset.path == NOWHERE:
                here = f"{section}.{name}"
                raise ConfigError(
                    f"{here}.path is not given: this recipe expects {dataset.kind} there, and "
                    f"does not know where you have them.\nSay {here}.path='shards/*.tar' (or a "
                    f"folder, or JSON lines), or leave it out: {here}=null."
                )


def exporter(
    model: FlamingoForConditionalGeneration, processor: FlamingoProcessor, settings: ModelSettings
) -> Callable[[Path], None]:
    """What writes the trained model and its processor into a folder, as `settings` say."""

    def export(folder: Path) -> None:
        if settings.export == "trained":
            model.save_pretrained(folder)
        else:
            dtype = DTYPES[settings.dtype]
            model.save_pretrained(folder, full=True, state_dict=_stored(model, dtype))
        processor.save_pretrained(folder)

    return export


def _stored(model: FlamingoForConditionalGeneration, dtype: torch.dtype) -> dict[str, Tensor]:
    """The model's state in one number format; the run itself keeps its own."""
    # What is shared stays shared: two names of one tensor are one tensor in the file.
    cast: dict[tuple[int, torch.Size], Tensor] = {}
    state = {}
    for name, value in model.state_dict().items():
        key = (value.data_ptr(), value.shape)
        if key not in cast:
            cast[key] = value.to(dtype) if value.is_floating_point() else value
        state[name] = cast[key]
    return state


def _sources(
    section: str, datasets: Mapping[str, DatasetConfig], made: Assembled
) -> list[DatasetSource]:
    encoder = made.processor.encoder()
    opened = []
    for name, dataset in datasets.items():
        fit = made.processor.image_processor.fit
        check_features(f"{section}.{name}", dataset, made.model, fit)
        chosen = replace(dataset, shuffle=False) if section == "validation" else dataset
        opened.append(
            build_dataset(
                name,
                chosen,
                encoder,
                made.processor.image_processor.transform,
                pad_id=encoder.prepared.ids.pad,
            )
        )
    return opened

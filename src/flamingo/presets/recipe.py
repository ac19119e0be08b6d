"""What a training recipe is: settings as data, and a function that builds what they describe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from flamingo.foundation.records import override, to_plain
from flamingo.training.config import TrainingConfig
from flamingo.training.objective import Objective
from flamingo.training.reporting import Probe
from flamingo.training.sources import Source
from flamingo.training.trainer import Trainer


@dataclass(frozen=True)
class Ingredients:
    """Everything that a trainer needs besides its settings.

    Args:
        model: with `requires_grad` set on what is trained.
        objective: gives the loss of a batch.
        sources: the data sets.
        export: writes the trained model into the folder it is given.
        on_step: probes, called after every update.
        validation: sources that are looked at and not learned from.
    """

    model: nn.Module
    objective: Objective
    sources: Sequence[Source]
    export: Callable[[Path], None] | None = None
    on_step: Sequence[Probe] = field(default_factory=tuple)
    validation: Sequence[Source] = ()


@dataclass(frozen=True)
class Recipe:
    """A training run by name.

    Args:
        name: as typed in the shell.
        description: one line.
        config: a frozen dataclass of sections, one of them `training: TrainingConfig`.
        build: makes the ingredients from `config`; torch is seeded before.
    """

    name: str
    description: str
    config: Any
    build: Callable[[Any], Ingredients]

    def with_overrides(self, assignments: Iterable[str]) -> Recipe:
        """The same recipe with `section.field=value` assignments applied.

        Raises:
            ConfigError: an unknown setting, or a value of another type.
        """
        return replace(self, config=override(self.config, assignments))

    def resolved(self) -> dict[str, Any]:
        """Every setting as plain values, to print and to keep with the run."""
        return {"recipe": self.name, **to_plain(self.config)}

    def trainer(self, run_folder: Path) -> Trainer:
        """Builds the ingredients and a trainer for them."""
        config: TrainingConfig = self.config.training
        made = self._ingredients()
        return Trainer(
            made.model,
            made.objective,
            made.sources,
            config,
            run_folder,
            recipe=self.resolved(),
            on_step=made.on_step,
            export=made.export,
            rebuild=self._rebuilt,
            validation=made.validation,
        )

    def _ingredients(self) -> Ingredients:
        torch.manual_seed(self.config.training.seed)
        return self.build(self.config)

    def _rebuilt(self) -> tuple[nn.Module, Callable[[Path], None] | None]:
        made = self._ingredients()
        return made.model, made.export

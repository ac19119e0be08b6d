"""The settings of an ablation: one budget for all of its rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from flamingo.foundation.errors import ConfigError
from flamingo.miniature.tasks import DEVELOPMENT_TASKS

_BUDGET = {
    "training.steps": "Give --steps instead.",
    "training.warmup_steps": "Give --warmup-steps instead.",
    "training.seed": "Give --seeds instead.",
    "training.device": "Give --device instead.",
    "training.checkpoint_every": "Give --checkpoint-every instead.",
    "training.threads": "Give --processes instead: each process has one thread.",
    "training.keep_checkpoints": "Leave it out: a run keeps one until it is finished.",
    "training.log_every": "Leave it out: step times are compared, so all logs are alike.",
    "data.seed": "Give --seeds instead.",
    "data.alignment_steps": "Give --alignment-steps instead.",
    "model.vision": "Give --vision instead.",
    "model.language": "Give --language instead.",
}
"""Settings of the recipe that the budget decides, and what to do instead of giving them."""


@dataclass(frozen=True)
class AblationConfig:
    """What all rows have in common.

    Args:
        steps: batches of every source that a row learns from, those of the alignment included.
        batch_scale: sizes of batches as a part of the baseline's.
        alignment_steps: how many of the steps are spent on single things; a third at most.
        warmup_steps: steps over which the learning rate rises; a tenth at most.
        learning_rates: multiples of each row's learning rate that are tried; see `tuning_seed`.
        tuning_seed: where there are several: of the runs and queries by which the best one of
            each row is chosen. The seeds of the table have no part in that.
        vision_steps: steps of the first stage for rows with a vision encoder of their own.
        tasks: what is asked: development tasks.
        shots: supports in the prompt.
        queries: per task; the same ones for every row.
        query_seed: of queries and supports.
        vision: a folder with the vision encoder; None: the bundled miniature's.
        language: a folder with the language model and tokenizer; None: the bundled miniature's.
        settings: `section.field=value` on the recipe of the bridge, for every row; none of those
            that the fields here decide. Sizes of batches are scaled after that.
        vision_settings: the same on the recipe of the first stage.
        device: of training and evaluation.
        checkpoint_every: steps that a kill can lose.

    Raises:
        ConfigError: a value out of its range, a task that is held out, or a setting that a field
            here decides.
    """

    steps: int = 500
    batch_scale: float = 0.5
    alignment_steps: int = 150
    warmup_steps: int = 30
    learning_rates: tuple[float, ...] = (1.0,)
    tuning_seed: int = 1000
    vision_steps: int = 400
    tasks: tuple[str, ...] = DEVELOPMENT_TASKS
    shots: int = 4
    queries: int = 200
    query_seed: int = 0
    vision: Path | None = None
    language: Path | None = None
    settings: tuple[str, ...] = ()
    vision_settings: tuple[str, ...] = ()
    device: str = "auto"
    checkpoint_every: int = 50

    def __post_init__(self) -> None:
        for name in ("steps", "queries", "vision_steps", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}, but must be at least 1.")
        for name in ("alignment_steps", "warmup_steps", "shots"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} is {getattr(self, name)}, but must be at least 0.")
        factors = (*self.learning_rates, self.batch_scale)
        if not self.learning_rates or not all(math.isfinite(one) and one > 0 for one in factors):
            raise ConfigError(
                f"learning_rates are {self.learning_rates} and batch_scale is {self.batch_scale}, "
                "but all of them must be positive numbers. 1 leaves them as they are."
            )
        if others := [name for name in self.tasks if name not in DEVELOPMENT_TASKS]:
            raise ConfigError(
                f"{', '.join(others)} cannot be asked here: an ablation is made to choose by, and "
                f"held-out tasks are kept out of that.\nDevelopment tasks: "
                f"{', '.join(DEVELOPMENT_TASKS)}."
            )
        for setting in self.settings:
            _check_setting(setting)

    @property
    def is_tuned(self) -> bool:
        """Whether each row chooses its learning rate."""
        return len(self.learning_rates) > 1


def _check_setting(setting: str) -> None:
    """Refuses what the budget would silently undo.

    Raises:
        ConfigError: as said.
    """
    name = setting.partition("=")[0].strip()
    for decided, advice in _BUDGET.items():
        if name == decided or decided.startswith(f"{name}."):
            raise ConfigError(
                f"{setting!r} cannot be given to an ablation: its budget decides {decided}, for "
                f"all rows alike.\n{advice}"
            )

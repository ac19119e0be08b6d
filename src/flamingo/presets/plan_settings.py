"""What a training run is planned for, and the settings that change what it costs."""

from __future__ import annotations

from dataclasses import dataclass

from flamingo.foundation.errors import ConfigError
from flamingo.presets.memory_plan import Parallel
from flamingo.presets.step_cost import Precision


@dataclass(frozen=True)
class Machine:
    """What a run is planned for.

    Args:
        num_gpus: how many GPUs share the work.
        gpu_memory: of each of them, in GiB.
        peak_flops: operations per second that each could make.
        mfu: the share of these that it makes, on the whole.

    Raises:
        ConfigError: a value out of its range.
    """

    num_gpus: int
    gpu_memory: float
    peak_flops: float
    mfu: float = 0.4

    def __post_init__(self) -> None:
        if self.num_gpus < 1:
            raise ConfigError(f"A run needs at least 1 GPU, not {self.num_gpus}.")
        if not self.gpu_memory > 0:
            raise ConfigError(f"The memory of a GPU must be positive, not {self.gpu_memory} GiB.")
        if not 0 < self.mfu <= 1:
            raise ConfigError(f"The MFU is a share of the peak, from 0 to 1, not {self.mfu}.")


@dataclass(frozen=True)
class RunSettings:
    """The settings of a run that change what it costs, named as in `TrainingConfig`.

    Args:
        parallel: "replicate" keeps everything on every GPU; "shard" divides it.
        activation_checkpointing: computes activations twice to keep fewer of them.
        micro_batches: parts into which a GPU's rows are cut; `None` finds the fewest that fit.
        precision: "bf16" or "fp32".
        steps: updates of the whole run.

    Raises:
        ConfigError: a value out of its range.
    """

    parallel: Parallel = "replicate"
    activation_checkpointing: bool = False
    micro_batches: int | None = None
    precision: Precision = "bf16"
    steps: int = 500_000

    def __post_init__(self) -> None:
        if self.steps < 1 or (self.micro_batches is not None and self.micro_batches < 1):
            raise ConfigError(
                f"steps and micro_batches must be at least 1, not {self.steps} and "
                f"{self.micro_batches}."
            )

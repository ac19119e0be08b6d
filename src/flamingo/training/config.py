"""The settings of a training run, apart from its model and its data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flamingo.foundation.errors import ConfigError


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained; the defaults are the paper's where the paper has a value.

    Args:
        steps: updates in the whole run.
        warmup_steps: updates over which the learning rate rises linearly from 0.
        learning_rate: the rate after warm-up.
        schedule: what the rate does after warm-up; the paper keeps it constant.
        decay_steps: the last updates over which "cosine" and "linear" fall; None: all after
            warm-up.
        final_learning_rate_fraction: where "cosine" and "linear" end, as a part of the peak.
        optimizer: "adamw", or "muon" for the hidden matrices with AdamW for everything else.
        weight_decay: decoupled decay per unit of learning rate; see `parameter_groups`.
        betas: AdamW's decay rates of the two moments (not in the paper).
        eps: AdamW's epsilon (not in the paper).
        clip_norm: largest global norm of the gradient; 0 does not clip.
        gate_learning_rate_multiplier: for the tanh gates, parameters named `alpha_…`.
        muon_learning_rate_multiplier: for the matrices that Muon updates.
        mixing: "accumulate" adds λ times the gradient of every source into each update;
            "round_robin" takes one source per update in turn.
        micro_batches: parts into which each batch is cut to save memory; same gradient.
        precision: "bf16" computes in autocast; trained parameters stay fp32 either way.
        device: "auto", "cpu", "cuda", "cuda:1", "mps".
        threads: CPU threads of one operation; None: torch's own choice.
        num_workers: processes that make batches ahead; 0 makes them inline.
        prefetch: batches that each worker keeps ready.
        seed: of initialization, dropout and everything else drawn in this run.
        log_every: updates between two lines of the log.
        checkpoint_every: updates between two checkpoints.
        keep_checkpoints: how many checkpoints stay besides the final one.

    Raises:
        ConfigError: a value out of its range.

    Paper: Sec. 2.4, App. B.1.2.
    """

    steps: int = 500_000
    warmup_steps: int = 5_000
    learning_rate: float = 1e-4
    schedule: Literal["constant", "cosine", "linear"] = "constant"
    decay_steps: int | None = None
    final_learning_rate_fraction: float = 0.0
    optimizer: Literal["adamw", "muon"] = "adamw"
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-8
    clip_norm: float = 1.0
    gate_learning_rate_multiplier: float = 1.0
    muon_learning_rate_multiplier: float = 1.0
    mixing: Literal["accumulate", "round_robin"] = "accumulate"
    micro_batches: int = 1
    precision: Literal["fp32", "bf16"] = "fp32"
    device: str = "auto"
    threads: int | None = None
    num_workers: int = 0
    prefetch: int = 4
    seed: int = 0
    log_every: int = 10
    checkpoint_every: int = 500
    keep_checkpoints: int = 2

    def __post_init__(self) -> None:
        for name in ("steps", "micro_batches", "prefetch", "log_every", "checkpoint_every"):
            self._at_least(name, 1)
        for name in ("warmup_steps", "num_workers", "weight_decay", "learning_rate", "clip_norm"):
            self._at_least(name, 0)
        self._at_least("keep_checkpoints", 1)
        if self.decay_steps is not None:
            self._at_least("decay_steps", 1)

    def _at_least(self, name: str, least: int) -> None:
        value = getattr(self, name)
        if not value >= least:
            raise ConfigError(f"training.{name} must be at least {least}, not {value}.")


RESUMABLE_CHANGES = frozenset(
    {
        "steps",
        "micro_batches",
        "device",
        "threads",
        "num_workers",
        "prefetch",
        "log_every",
        "checkpoint_every",
        "keep_checkpoints",
    }
)
"""Settings that may differ when a run goes on: none of them changes what it learns from."""

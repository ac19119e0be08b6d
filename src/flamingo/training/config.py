"""The settings of a training run, apart from its model and its data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flamingo.foundation.errors import ConfigError

_AT_LEAST_ONE = (
    "steps",
    "micro_batches",
    "prefetch",
    "log_every",
    "checkpoint_every",
    "keep_checkpoints",
    "validation_batches",
)
_AT_LEAST_ZERO = (
    "warmup_steps",
    "num_workers",
    "weight_decay",
    "learning_rate",
    "clip_norm",
    "adaptive_clip",
    "z_loss",
    "decay_factor",
    "validate_every",
    "sample_every",
)


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained; the defaults are the paper's where the paper has a value.

    Args:
        steps: updates in the whole run.
        warmup_steps: updates over which the learning rate rises linearly from 0.
        learning_rate: the rate after warm-up.
        schedule: what the rate does after warm-up; the paper keeps it constant. "steps" is
            multiplied by `decay_factor` at every update of `decay_at`, as in its fine-tuning.
        decay_steps: the last updates over which "cosine" and "linear" fall; None: all after
            warm-up.
        final_learning_rate_fraction: where "cosine" and "linear" end, as a part of the peak.
        decay_at: updates at which "steps" falls.
        decay_factor: what "steps" multiplies the rate by at each of them.
        optimizer: "adamw", or "muon" for the hidden matrices with AdamW for everything else.
        weight_decay: decoupled decay per unit of learning rate; see `parameter_groups`.
        betas: AdamW's decay rates of the two moments (not in the paper).
        eps: AdamW's epsilon (not in the paper).
        clip_norm: largest global norm of the gradient; 0 does not clip.
        adaptive_clip: largest norm of a unit's gradient in the vision encoder, as a part of the
            unit's own norm; `clip_norm` is then for all other parameters. 0 is off.
        z_loss: weight of the squared logarithm of the softmax's denominator, which keeps logits
            from drifting; 0 (the paper) is off.
        gate_learning_rate_multiplier: for the tanh gates, parameters named `alpha_…`.
        language_learning_rate_multiplier: for a language model that is trained as well.
        vision_learning_rate_multiplier: for a vision encoder that is trained as well.
        muon_learning_rate_multiplier: for the matrices that Muon updates.
        mixing: "accumulate" adds λ times the gradient of every source into each update;
            "round_robin" takes one source per update in turn; "merged" joins the batches
            of all sources into one, in which λ is the weight of a row.
        micro_batches: parts into which each batch is cut to save memory; same gradient.
        precision: "bf16" computes in autocast; trained parameters stay fp32 either way.
        parallel: what several processes divide among them besides the rows of each batch.
            "replicate" nothing, every process has the whole model; "shard" the weights, their
            gradients and the optimizer's state (FSDP2).
        activation_checkpointing: computes the layers' activations a second time in the backward
            pass instead of keeping them.
        compile: compiles layers with `torch.compile`, one by one.
        device: "auto", "cpu", "cuda", "cuda:1", "mps".
        threads: CPU threads of one operation; None: torch's own choice.
        num_workers: processes that make batches ahead; 0 makes them inline.
        prefetch: batches that each worker keeps ready.
        seed: of initialization, dropout and everything else drawn in this run.
        log_every: updates between two lines of the log.
        checkpoint_every: updates between two checkpoints.
        keep_checkpoints: how many checkpoints stay besides the final one.
        async_checkpoints: writes checkpoints while the training goes on, from a copy in the
            memory of the CPU.
        validate_every: updates between two looks at the validation sources; 0 looks never.
        validation_batches: how many batches of each validation source are looked at, always the
            same ones.
        control_loss: whether validation also tells the loss with all visuals blanked; visuals
            that help make it higher.
        sample_every: updates between two looks at what the model writes for validation data;
            0 looks never.
        tensorboard: whether the log also goes to TensorBoard, in the folder of the run.

    Raises:
        ConfigError: a value out of its range.

    Paper: Sec. 2.4, App. B.1.2.
    """

    steps: int = 500_000
    warmup_steps: int = 5_000
    learning_rate: float = 1e-4
    schedule: Literal["constant", "cosine", "linear", "steps"] = "constant"
    decay_steps: int | None = None
    final_learning_rate_fraction: float = 0.0
    decay_at: tuple[int, ...] = ()
    decay_factor: float = 0.1
    optimizer: Literal["adamw", "muon"] = "adamw"
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-8
    clip_norm: float = 1.0
    adaptive_clip: float = 0.0
    z_loss: float = 0.0
    gate_learning_rate_multiplier: float = 1.0
    language_learning_rate_multiplier: float = 1.0
    vision_learning_rate_multiplier: float = 1.0
    muon_learning_rate_multiplier: float = 1.0
    mixing: Literal["accumulate", "round_robin", "merged"] = "accumulate"
    micro_batches: int = 1
    precision: Literal["fp32", "bf16"] = "fp32"
    parallel: Literal["replicate", "shard"] = "replicate"
    activation_checkpointing: bool = False
    compile: bool = False
    device: str = "auto"
    threads: int | None = None
    num_workers: int = 0
    prefetch: int = 4
    seed: int = 0
    log_every: int = 10
    checkpoint_every: int = 500
    keep_checkpoints: int = 2
    async_checkpoints: bool = False
    validate_every: int = 0
    validation_batches: int = 8
    control_loss: bool = True
    sample_every: int = 0
    tensorboard: bool = False

    def __post_init__(self) -> None:
        for name in _AT_LEAST_ONE:
            self._at_least(name, 1)
        for name in _AT_LEAST_ZERO:
            self._at_least(name, 0)
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
        "parallel",
        "activation_checkpointing",
        "compile",
        "device",
        "threads",
        "num_workers",
        "prefetch",
        "log_every",
        "checkpoint_every",
        "keep_checkpoints",
        "async_checkpoints",
        "validate_every",
        "validation_batches",
        "control_loss",
        "sample_every",
        "tensorboard",
    }
)
"""Settings that may differ when a run goes on: none of them changes what it learns from."""

"""One gradient out of many batches: λ-weighted over sources, and cut into micro-batches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from flamingo.foundation.devices import to_device
from flamingo.foundation.errors import ConfigError, FlamingoError
from flamingo.training.config import TrainingConfig
from flamingo.training.objective import Objective, Splittable
from flamingo.training.sources import Source


class NonFiniteLossError(FlamingoError):
    """The loss or its gradient is infinite or not a number."""


@dataclass
class SourceLoss:
    """What one source contributed to an update; `loss` is before weighting by λ."""

    loss: float
    num_tokens: int = 0
    metrics: dict[str, float] = field(default_factory=dict)


class Accumulator:
    """Adds Σ_m λ_m ∇L_m to the gradients of a model, one batch after the other.

    Raises:
        ConfigError: micro-batches are asked of an objective that cannot be split.
    """

    def __init__(
        self, model: nn.Module, objective: Objective, config: TrainingConfig, device: torch.device
    ) -> None:
        if config.micro_batches > 1 and not isinstance(objective, Splittable):
            raise ConfigError(
                f"training.micro_batches is {config.micro_batches}, but the objective "
                f"{type(objective).__name__} has no `split`: its loss is not a sum over rows. "
                f"Use training.micro_batches=1 and smaller batches."
            )
        self.model, self.objective, self.config, self.device = model, objective, config, device

    def __call__(self, draws: Iterable[tuple[Source, Any]], step: int) -> dict[str, SourceLoss]:
        """Accumulates the gradient of one update and says what each source's loss was.

        Raises:
            NonFiniteLossError: a loss is infinite or not a number.
        """
        losses = {}
        for source, batch in draws:
            losses[source.name] = self._add(source, to_device(batch, self.device))
        for name, report in losses.items():
            if not math.isfinite(report.loss):
                raise NonFiniteLossError(
                    f"The loss of source {name!r} is {report.loss} at step {step}. "
                    f"No update was made. Look at that batch, or lower training.learning_rate."
                )
        return losses

    def _add(self, source: Source, batch: Any) -> SourceLoss:
        terms: list[Tensor] = []
        metrics: dict[str, float | Tensor] = {}
        num_tokens = 0
        for share, part in self._parts(batch):
            with self._autocast():
                report = self.objective(self.model, part, source.name)
            (report.loss * (source.weight * share)).backward()
            terms.append(report.loss.detach() * share)
            num_tokens += report.num_tokens
            for name, value in report.metrics.items():
                metrics[name] = metrics.get(name, 0.0) + _detached(value) * share
        # Reading numbers waits for the device, so it is done once, after the last backward.
        loss = float(torch.stack(terms).sum())
        return SourceLoss(loss, num_tokens, {name: float(v) for name, v in metrics.items()})

    def _parts(self, batch: Any) -> Iterator[tuple[float, Any]]:
        if self.config.micro_batches > 1 and isinstance(self.objective, Splittable):
            yield from self.objective.split(batch, self.config.micro_batches)
        else:
            yield 1.0, batch

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.config.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()


def clip_gradient(parameters: list[nn.Parameter], config: TrainingConfig, step: int) -> float:
    """Scales the gradient down to `config.clip_norm` and returns its norm before that.

    Raises:
        NonFiniteLossError: the gradient is infinite or not a number.
    """
    limit = config.clip_norm if config.clip_norm > 0 else math.inf
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, limit))
    if not math.isfinite(norm):
        raise NonFiniteLossError(
            f"The gradient has norm {norm} at step {step}, though every loss is finite. "
            f"No update was made. Try training.precision=fp32 or a lower training.learning_rate."
        )
    return norm


def _detached(value: float | Tensor) -> float | Tensor:
    return value.detach() if isinstance(value, Tensor) else value

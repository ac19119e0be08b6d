"""One gradient out of many batches: λ-weighted over sources, cut into parts, shared out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from flamingo.foundation.devices import to_device
from flamingo.foundation.errors import ConfigError
from flamingo.training.config import TrainingConfig
from flamingo.training.errors import NonFiniteLossError
from flamingo.training.objective import LossReport, Merging, Objective, Splittable, Weighing
from flamingo.training.parallelism import Parallelism, Replicated
from flamingo.training.processes import Processes
from flamingo.training.rows import num_rows
from flamingo.training.sources import Source

MERGED = "merged"
"""How reports call the one batch that several sources were joined to."""


@dataclass
class SourceLoss:
    """What one source contributed to an update, over all processes; before weighting by λ."""

    loss: float
    num_tokens: int = 0
    num_frames: int = 0
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Draw:
    """One batch of an update: this process's rows of it."""

    name: str
    weight: float
    batch: Any


class Accumulator:
    """Adds Σ_m λ_m ∇L_m to the gradients of a model, one batch after the other.

    The loss of a batch that several processes share is one sum over all of its rows; each
    process contributes what its own rows weigh.

    Raises:
        ConfigError: the objective cannot be split, or merged, as the settings ask.

    Paper: Sec. 2.4, App. B.1.2.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        config: TrainingConfig,
        device: torch.device,
        parallelism: Parallelism | None = None,
        processes: Processes | None = None,
    ) -> None:
        _check(objective, config)
        self.model, self.objective, self.config, self.device = model, objective, config, device
        self.processes = processes or Processes()
        self.parallelism = parallelism or Replicated(self.processes)

    def __call__(self, draws: Sequence[tuple[Source, Any]], step: int) -> dict[str, SourceLoss]:
        """Accumulates the gradient of one update and says what each source's loss was.

        Raises:
            NonFiniteLossError: a loss is infinite or not a number.
        """
        mixed = self._mixed(draws)
        shares = self.shares([draw.batch for draw in mixed])
        losses = {
            draw.name: self._add(draw, share) for draw, share in zip(mixed, shares, strict=True)
        }
        losses = self.summed(losses)
        for name, report in losses.items():
            if not math.isfinite(report.loss):
                raise NonFiniteLossError(
                    f"The loss of source {name!r} is {report.loss} at step {step}. "
                    f"No update was made. Look at that batch, or lower training.learning_rate."
                )
        return losses

    def shares(self, batches: Sequence[Any]) -> list[float]:
        """What this process's rows weigh in each batch; over all processes that is 1."""
        own = [self.denominator(batch) for batch in batches]
        if self.processes.count == 1:
            return [1.0] * len(own)
        total = self.processes.sums(own)
        # Without a single target anywhere, every process has an equal share of nothing.
        return [
            mine / whole if whole > 0 else 1 / self.processes.count
            for mine, whole in zip(own, total, strict=True)
        ]

    def summed(self, losses: dict[str, SourceLoss]) -> dict[str, SourceLoss]:
        """The same of all processes, of which each knows its part."""
        flat = [
            number
            for report in losses.values()
            for number in (
                report.loss,
                float(report.num_tokens),
                float(report.num_frames),
                *report.metrics.values(),
            )
        ]
        sums = iter(self.processes.sums(flat))
        return {
            name: SourceLoss(
                next(sums),
                int(next(sums)),
                int(next(sums)),
                {metric: next(sums) for metric in report.metrics},
            )
            for name, report in losses.items()
        }

    def measure(self, name: str, batch: Any) -> SourceLoss:
        """The loss of this process's rows of a batch, without a gradient."""
        with torch.no_grad():
            reports = [
                (self._report(part, name), share)
                for share, part in self._parts(to_device(batch, self.device))
            ]
        return _added(reports)

    def _mixed(self, draws: Sequence[tuple[Source, Any]]) -> list[_Draw]:
        if self.config.mixing != "merged":
            return [_Draw(source.name, source.weight, batch) for source, batch in draws]
        assert isinstance(self.objective, Merging)
        merged = self.objective.merge([(source.weight, batch) for source, batch in draws])
        return [_Draw(MERGED, 1.0, merged)]

    def _add(self, draw: _Draw, share: float) -> SourceLoss:
        scale = draw.weight * self.parallelism.loss_scale
        reports = []
        for part_share, part in self._parts(to_device(draw.batch, self.device)):
            report = self._report(part, draw.name)
            (report.loss * (scale * share * part_share)).backward()
            reports.append((report, share * part_share))
        return _added(reports)

    def _report(self, part: Any, name: str) -> LossReport:
        with self._autocast():
            return self.objective(self.model, part, name)

    def _parts(self, batch: Any) -> Iterator[tuple[float, Any]]:
        if self.config.micro_batches > 1 and isinstance(self.objective, Splittable):
            yield from self.objective.split(batch, self.config.micro_batches)
        else:
            yield 1.0, batch

    def denominator(self, batch: Any) -> float:
        """What this process's rows of a batch weigh."""
        if isinstance(self.objective, Weighing):
            return self.objective.denominator(batch)
        return float(num_rows(batch))

    def _autocast(self) -> AbstractContextManager[Any]:
        if self.config.precision == "bf16":
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()


def _added(reports: Sequence[tuple[LossReport, float]]) -> SourceLoss:
    """Parts of one batch as one; numbers are read once, after the last backward pass.

    Reading one waits for the device.
    """
    loss = float(torch.stack([report.loss.detach() * share for report, share in reports]).sum())
    metrics: dict[str, float | Tensor] = {}
    for report, share in reports:
        for name, value in report.metrics.items():
            detached = value.detach() if isinstance(value, Tensor) else value
            metrics[name] = metrics.get(name, 0.0) + detached * share
    return SourceLoss(
        loss,
        sum(report.num_tokens for report, _ in reports),
        sum(report.num_frames for report, _ in reports),
        {name: float(value) for name, value in metrics.items()},
    )


def _check(objective: Objective, config: TrainingConfig) -> None:
    name = type(objective).__name__
    if config.micro_batches > 1 and not isinstance(objective, Splittable):
        raise ConfigError(
            f"training.micro_batches is {config.micro_batches}, but the objective "
            f"{name} has no `split`: its loss is not a sum over rows. "
            f"Use training.micro_batches=1 and smaller batches; a contrastive objective has "
            f"`rows_at_once` instead."
        )
    if config.mixing == "merged" and not isinstance(objective, Merging):
        raise ConfigError(
            f"training.mixing is 'merged', but the objective {name} has no `merge`. "
            f"Use accumulate or round_robin."
        )
    z_loss = getattr(objective, "z_loss", 0.0)
    if z_loss != config.z_loss:
        raise ConfigError(
            f"training.z_loss is {config.z_loss}, but the objective {name} was made with {z_loss}. "
            f"Give it the setting, or leave the setting at 0."
        )

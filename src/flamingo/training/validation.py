"""The loss on data that is not learned from, as it is and with nothing to see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from flamingo.training.accumulation import Accumulator
from flamingo.training.config import TrainingConfig
from flamingo.training.objective import Blanking
from flamingo.training.preparation import modes_of, restore_modes
from flamingo.training.processes import Processes
from flamingo.training.sources import Source, batch_of

BLANK = "without visuals"
"""How the control loss of a source is called, behind the source's name."""


class Validator:
    """Looks at the first batches of the validation sources, the same ones every time.

    The control loss is that of the same batches with their visuals blanked. A model that uses
    what it sees does worse there; one that does not has only learned to write.

    Args:
        model: is put into evaluation mode while it is looked at.
        accumulator: knows how to compute a loss on several processes.
        sources: what to look at; nothing is learned from it.
        config: how much of it.
        processes: those that train together.
    """

    def __init__(
        self,
        model: nn.Module,
        accumulator: Accumulator,
        sources: Sequence[Source],
        config: TrainingConfig,
        processes: Processes,
    ) -> None:
        self.model, self.accumulator, self.sources = model, accumulator, sources
        self.config, self.processes = config, processes

    def is_due(self, step: int) -> bool:
        """Whether to look after this many updates."""
        every = self.config.validate_every
        is_last = step == self.config.steps
        return bool(self.sources and every) and (step % every == 0 or is_last)

    def __call__(self) -> dict[str, float]:
        """The mean loss of each source, and its control loss."""
        modes = modes_of(self.model)
        self.model.eval()
        try:
            losses: dict[str, float] = {}
            for source in self.sources:
                losses |= self._losses(source)
            return losses
        finally:
            restore_modes(modes)

    def _losses(self, source: Source) -> dict[str, float]:
        sums = [0.0, 0.0, 0.0, 0.0]
        for number in range(self.config.validation_batches):
            batch = batch_of(source, number, self.processes.share).batch
            weight, loss = self._weighed(source, batch)
            sums[0] += weight
            sums[1] += weight * loss
            blank = self._blank(batch)
            if blank is not None:
                sums[2] += weight
                sums[3] += weight * self._weighed(source, blank)[1]
        total, loss, total_blank, loss_blank = self.processes.sums(sums)
        losses = {source.name: loss / total if total else 0.0}
        if total_blank:
            losses[f"{source.name} {BLANK}"] = loss_blank / total_blank
        return losses

    def _weighed(self, source: Source, batch: Any) -> tuple[float, float]:
        weight = self.accumulator.denominator(batch)
        return weight, self.accumulator.measure(source.name, batch).loss

    def _blank(self, batch: Any) -> Any | None:
        if not self.config.control_loss or not isinstance(self.accumulator.objective, Blanking):
            return None
        without: Callable[[Any], Any] = self.accumulator.objective.without_visuals
        blank = without(batch)
        # Processes that shard a model must run it equally often, with or without visuals.
        return batch if blank is None and self.processes.count > 1 else blank

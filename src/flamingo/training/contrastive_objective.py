"""What the two towers minimize: the cross entropy of finding captions and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from flamingo.foundation.errors import ConfigError
from flamingo.foundation.sharing import Share
from flamingo.model.contrastive import Embeddings, contrastive_loss
from flamingo.training.gathering import gather_rows, row_counts
from flamingo.training.objective import LossReport
from flamingo.training.rows import join_rows

_INPUTS = ("pixels", "token_ids", "token_mask")


@dataclass(frozen=True)
class ContrastiveObjective:
    """For a `ContrastiveModel`, on mappings of `pixels`, `token_ids` and `token_mask`.

    Every other pair of the batch is a wrong answer, so half a batch is another, easier task:
    there is no `split`. Of several processes, each embeds its own rows and finds them among the
    rows of all. The negatives of a pair come from its own data set, because an objective is
    called once for each source, with that source's rows; only `training.mixing=merged` makes
    one batch of all sources.

    Args:
        label_smoothing: share of the target that is spread over the batch.
        rows_at_once: how many rows of a process go through the towers together; none: all.
            The towers run twice, the second time for the gradient, a few rows after the other;
            loss and gradient stay the same, and memory for activations no longer grows with
            the batch.

    Raises:
        ConfigError: `rows_at_once` is less than 2.

    Paper: App. B.1.3.
    """

    label_smoothing: float = 0.1
    rows_at_once: int | None = None

    def __post_init__(self) -> None:
        # One row would make processes with a row less take a step less, and wait forever.
        if self.rows_at_once is not None and self.rows_at_once < 2:
            raise ConfigError(
                f"rows_at_once must be at least 2, not {self.rows_at_once}. "
                f"Leave it out to embed all rows together."
            )

    def __call__(self, model: nn.Module, batch: Any, source: str) -> LossReport:
        """The loss of this process' rows, and the share of its pictures whose caption was found."""
        counts = row_counts(len(batch["pixels"]), batch["pixels"].device)
        own = self._embed(model, batch, max(counts))
        all_texts, first = gather_rows(own.texts, counts)
        all_visuals, _ = gather_rows(own.visuals, counts)
        # In 32 bits also under autocast: an inverse temperature of 100 magnifies rounding.
        with torch.autocast(own.visuals.device.type, enabled=False):
            scale = own.inverse_temperature.float()
            to_text = own.visuals @ all_texts.T * scale
            to_visual = own.texts @ all_visuals.T * scale
        targets = torch.arange(first, first + len(to_text), device=to_text.device)
        return LossReport(
            contrastive_loss(to_text, to_visual, first=first, label_smoothing=self.label_smoothing),
            num_tokens=len(to_text),
            num_frames=len(to_text),
            metrics={"found": (to_text.argmax(1) == targets).float().mean()},
        )

    def denominator(self, batch: Any) -> float:
        """What the loss of a process' rows counts by: their number."""
        return float(len(batch["pixels"]))

    def merge(self, batches: Sequence[tuple[float, Any]]) -> Any:
        """One batch of all rows, in which those of other data sets are negatives too.

        Raises:
            ConfigError: the data sets differ in λ: a pair is an answer and a negative at once,
                and has no weight of its own.

        Paper: App. B.1.3 ("data merged", the worst of the three in its ablation).
        """
        weights = [weight for weight, _ in batches]
        if len(set(weights)) > 1:
            raise ConfigError(
                f"training.mixing=merged makes one contrastive batch of data sets whose weights "
                f"are {weights}. Give them equal weights and choose the mixture by the sizes of "
                f"their batches, or use training.mixing=accumulate."
            )
        return join_rows([batch for _, batch in batches])

    def _embed(self, model: nn.Module, batch: Mapping[str, Tensor], most: int) -> Embeddings:
        """The rows' embeddings; `most` is what the process with most rows has."""
        if self.rows_at_once is None or most <= self.rows_at_once:
            embedded: Embeddings = model(*(batch[name] for name in _INPUTS))
            return embedded
        # As many parts on every process: a model whose weights are spread over the processes
        # can only go forward on all of them together.
        num_parts = -(-most // self.rows_at_once)
        parts = [checkpoint(model, *part, use_reentrant=False) for part in _parts(batch, num_parts)]
        visuals, texts, scales = zip(*parts, strict=True)
        return Embeddings(torch.cat(visuals), torch.cat(texts), scales[0])


def _parts(batch: Mapping[str, Tensor], num_parts: int) -> Iterator[tuple[Tensor, ...]]:
    for number in range(num_parts):
        rows = Share(number, num_parts).rows(len(batch["pixels"]))
        yield tuple(batch[name][rows.start : rows.stop] for name in _INPUTS)

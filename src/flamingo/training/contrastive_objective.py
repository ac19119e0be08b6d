"""What the two towers minimize: the cross entropy of finding captions and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from flamingo.model.contrastive import contrastive_loss
from flamingo.training.objective import LossReport


@dataclass(frozen=True)
class ContrastiveObjective:
    """For a `ContrastiveModel`, on mappings of `pixels`, `token_ids` and `token_mask`.

    It cannot be computed part by part: every other pair of the batch is a wrong answer, so
    half a batch is another, easier task.

    Args:
        label_smoothing: share of the target that is spread over the batch.

    Paper: App. B.1.3.
    """

    label_smoothing: float = 0.1

    def __call__(self, model: nn.Module, batch: Any, source: str) -> LossReport:
        """The loss of one batch, and the share of pictures whose caption was found."""
        logits = model(batch["pixels"], batch["token_ids"], batch["token_mask"]).float()
        is_found = logits.argmax(1) == torch.arange(len(logits), device=logits.device)
        return LossReport(
            contrastive_loss(logits, label_smoothing=self.label_smoothing),
            num_tokens=len(logits),
            metrics={"found": is_found.float().mean()},
        )

"""How likely given tokens are under the logits of a language model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor


def token_log_likelihoods(
    logits: Float[Tensor, "rows tokens vocabulary"], targets: Int[Tensor, "rows tokens"]
) -> Float[Tensor, "rows tokens"]:
    """Log-probability of each target under the logits at its place, in 32 bits."""
    # Cast within the softmax: a copy in 32 bits would be as large as the result.
    return logits.log_softmax(-1, dtype=torch.float32).gather(-1, targets[..., None])[..., 0]


def row_log_likelihoods(
    logits: Float[Tensor, "rows tokens vocabulary"],
    targets: Int[Tensor, "rows tokens"],
    mask: Int[Tensor, "rows tokens"],
) -> list[float]:
    """The same summed over the real tokens of each row; a GPU is waited for once."""
    found = token_log_likelihoods(logits, targets).masked_fill(mask == 0, 0.0)
    sums: list[float] = found.sum(-1).tolist()
    return sums


def padded_on_the_right(
    rows: Sequence[Sequence[int]], device: torch.device
) -> tuple[Int[Tensor, "rows tokens"], Int[Tensor, "rows tokens"]]:
    """Token ids as one tensor, and which of them are real (1) or fill up a row (0)."""
    width = max(map(len, rows))
    ids = [[*row, *[0] * (width - len(row))] for row in rows]
    mask = [[1] * len(row) + [0] * (width - len(row)) for row in rows]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)

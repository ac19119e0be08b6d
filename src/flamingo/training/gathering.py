"""Rows of all processes side by side, with a gradient that finds its way back to each."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable


def row_counts(num_rows: int, device: torch.device) -> list[int]:
    """How many rows each process has, by rank; `[num_rows]` where one works alone."""
    if not (dist.is_available() and dist.is_initialized()):
        return [num_rows]
    counts = torch.zeros(dist.get_world_size(), dtype=torch.int64, device=device)
    counts[dist.get_rank()] = num_rows
    dist.all_reduce(counts)
    return counts.tolist()


def gather_rows(
    rows: Float[Tensor, "own dim"], counts: list[int]
) -> tuple[Float[Tensor, "all dim"], int]:
    """The rows of all processes in the order of their ranks, and where one's own begin.

    The gradient of a row is the sum of what all processes have to say about it: with every
    process' loss multiplied by its share of the whole, each gets its part of the gradient that
    one process would have computed. All processes must go backward, in the same order.

    Args:
        rows: this process' own.
        counts: what `row_counts` says; they may differ.
    """
    if len(counts) == 1:
        return rows, 0
    gathered: Tensor = _Gather.apply(rows, counts)
    return gathered, sum(counts[: dist.get_rank()])


class _Gather(torch.autograd.Function):
    """Collectives want pieces of one size, so that shorter ones are filled up on the way."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, counts: list[int]) -> Tensor:
        ctx.counts = counts
        longest = max(counts)
        pieces = rows.new_empty(len(counts) * longest, rows.shape[1])
        dist.all_gather_into_tensor(pieces, _filled(rows, longest))
        by_rank = zip(pieces.split(longest), counts, strict=True)
        return torch.cat([piece[:count] for piece, count in by_rank])

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        longest = max(ctx.counts)
        pieces = torch.cat([_filled(piece, longest) for piece in gradient.split(ctx.counts)])
        own = gradient.new_empty(longest, gradient.shape[1])
        dist.reduce_scatter_tensor(own, pieces)
        return own[: ctx.counts[dist.get_rank()]], None


def _filled(rows: Tensor, length: int) -> Tensor:
    return F.pad(rows, (0, 0, 0, length - len(rows))).contiguous()

"""Attention with linear biases: the farther back a token, the less it counts, by head."""

from __future__ import annotations

import torch
from jaxtyping import Float, Shaped
from torch import Tensor


def alibi_slopes(
    num_heads: int, bias_max: int | float, device: torch.device | None = None
) -> Float[Tensor, " heads"]:
    """How much each token of distance counts less: 2^(-bias_max · h / H) for head h, from 1."""
    heads = torch.arange(1, num_heads + 1, dtype=torch.float32, device=device)
    return torch.exp2(-bias_max * heads / num_heads)


def with_alibi(
    mask: Shaped[Tensor, "rows one_or_heads queries keys"],
    slopes: Float[Tensor, " heads"],
    first: int | Tensor,
    dtype: torch.dtype,
) -> Float[Tensor, "rows heads queries keys"]:
    """What is added to attention scores: the bias where a mask allows to look, else the lowest.

    Distances are from the query, not from the end of the row: so near ones, which count, are exact
    in half precision as well; and padding, which moves all tokens of a row alike, changes nothing.
    The lowest number is finite: a row of padding that sees nothing must not become NaN.

    Args:
        mask: true where a query may look; or numbers that are added to its scores.
        slopes: one per head.
        first: the place of the first query among the keys.
        dtype: of the result, in which attention runs.
    """
    _, _, num_queries, num_keys = mask.shape
    keys = torch.arange(num_keys, device=mask.device)
    queries = torch.arange(num_queries, device=mask.device) + first
    # float32: in half precision neighbors far from the start have the same number.
    bias = slopes[:, None, None] * (keys - queries[:, None]).float()
    lowest = torch.finfo(dtype).min
    if mask.is_floating_point():
        return (mask.float() + bias).clamp(min=lowest).to(dtype)
    return torch.where(mask.bool(), bias.to(dtype), lowest)

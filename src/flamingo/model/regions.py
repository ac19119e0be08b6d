"""The grid of a picture: features of its regions, and embeddings of its positions at any size."""

from __future__ import annotations

from math import isqrt

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def to_regions(
    features: Float[Tensor, "visuals frames positions channels"], count: int
) -> Float[Tensor, "visuals frames count channels"]:
    """Averages over regions of the picture, `count` of them; in reading order if not a square."""
    positions = features.shape[2]
    side, wanted = isqrt(positions), isqrt(count)
    channels_first = features.flatten(0, 1).transpose(1, 2)
    if side * side == positions and wanted * wanted == count:
        grid = channels_first.unflatten(2, (side, side))
        pooled = F.adaptive_avg_pool2d(grid, wanted).flatten(2)
    else:
        pooled = F.adaptive_avg_pool1d(channels_first, count)
    return pooled.transpose(1, 2).unflatten(0, features.shape[:2])


def interpolated_positions(
    table: Float[Tensor, "old_positions dim"], num_positions: int
) -> Float[Tensor, "num_positions dim"]:
    """Position embeddings of a square grid, laid over a finer or coarser one (bicubic).

    What stands before the grid, such as the embedding of a class token, stays as it is: it is
    what is left over from a square, as one grid of patches has a square number of them.
    """
    old_side, new_side = isqrt(len(table)), isqrt(num_positions)
    num_prefix = len(table) - old_side**2
    assert num_prefix == num_positions - new_side**2
    grid = table[num_prefix:].float().T.unflatten(1, (old_side, old_side))
    finer = F.interpolate(
        grid[None], size=(new_side, new_side), mode="bicubic", align_corners=False
    )
    positions = finer[0].flatten(1).T.to(table.dtype)
    return torch.cat([table[:num_prefix], positions])

"""Features of a picture's regions, however many positions the encoder has."""

from __future__ import annotations

from math import isqrt

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

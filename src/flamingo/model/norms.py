"""The two normalizations that Flamingo-like models are built with."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

NORMS: dict[str, Callable[..., nn.Module]] = {"layer": nn.LayerNorm, "rms": nn.RMSNorm}

EPS = 1e-5
"""What torch's `LayerNorm` adds to the variance where nothing else is said."""


def norm(kind: str, dim: int, eps: float = EPS) -> nn.Module:
    """A normalization over `dim` channels.

    Args:
        kind: a key of `NORMS`.
        dim: width of what is normalized.
        eps: what is added to the variance.
    """
    return NORMS[kind](dim, eps=eps)

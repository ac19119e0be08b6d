"""Random weights with which nothing hides: norms are no identities, and logits are of order 1."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Generator, Tensor


def randomize(named: Iterable[tuple[str, Tensor]], generator: Generator) -> None:
    """Draws every tensor anew, in place, by what its name and shape say it is."""
    with torch.no_grad():
        for name, tensor in named:
            tensor.copy_(drawn(name, tensor.shape, generator))


def drawn(name: str, shape: Iterable[int], generator: Generator) -> Tensor:
    """Gates that are open to either side, norms around 1, biases, or a matrix."""
    shape = tuple(shape)
    noise = torch.randn(shape, generator=generator)
    if "gate" in name.rsplit(".", 1)[-1] or "alpha" in name:
        return noise.sign() * (0.5 + torch.rand(shape, generator=generator))
    if name.endswith("bias"):
        return 0.3 * noise
    if len(shape) == 1 and name.endswith("weight"):
        return 1 + 0.3 * noise
    if len(shape) < 2 or name.endswith("latents"):
        return noise
    is_table = any(part in name for part in ("embed", "wte", "head"))
    # Larger matrices would carry rounding from layer to layer until it shows in the logits.
    return (1.0 if is_table else 0.7) * noise / noise[0].numel() ** 0.5

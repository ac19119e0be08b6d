"""Samples that could not be used: they are passed over, but never in silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Skipped:
    """A sample that was passed over.

    Args:
        sample: where it is: a shard and a key, a file, or a file and a line.
        reason: why it cannot be used, in one line.
    """

    sample: str
    reason: str


@dataclass(frozen=True)
class Drawn:
    """A batch, and what was passed over while it was made.

    Args:
        batch: a mapping or dataclass of tensors.
        skipped: each sample that could not be used.
    """

    batch: Any
    skipped: tuple[Skipped, ...] = ()

    def pin_memory(self) -> Drawn:
        """The same in memory that a GPU copies from quickly; PyTorch's loader asks."""
        from torch.utils.data._utils.pin_memory import pin_memory

        return Drawn(pin_memory(self.batch), self.skipped)

"""The processes of one run: who they are, and what they tell each other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist

from flamingo.foundation.sharing import EVERYTHING, Share


class Processes:
    """All processes of a run, seen from one of them; alone, every exchange is a no-op.

    Numbers and objects are exchanged through the CPU, gradients where they are computed.

    Args:
        share: which of how many this one is.
        group: for small exchanges through the CPU.
    """

    def __init__(self, share: Share = EVERYTHING, group: Any = None) -> None:
        self.share, self.group = share, group

    @classmethod
    def join(cls, device: torch.device) -> Processes:
        """Meets the other processes that `torchrun` started; there may be none.

        Args:
            device: what this process computes on; it decides how gradients travel.
        """
        if not dist.is_available() or int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return cls()
        if not dist.is_initialized():
            backend = "cuda:nccl,cpu:gloo" if device.type == "cuda" else "gloo"
            dist.init_process_group(backend)
        share = Share(dist.get_rank(), dist.get_world_size())
        return cls(share, dist.new_group(backend="gloo"))

    @property
    def count(self) -> int:
        """How many there are."""
        return self.share.count

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes and reports."""
        return self.share.index == 0

    def sums(self, numbers: Sequence[float]) -> list[float]:
        """Position by position, the sum over all processes."""
        if self.count == 1:
            return list(numbers)
        total = torch.tensor(numbers, dtype=torch.float64)
        dist.all_reduce(total, group=self.group)
        return [float(number) for number in total]

    def gathered(self, item: Any) -> list[Any]:
        """What each process brought, in the order of the processes."""
        if self.count == 1:
            return [item]
        items: list[Any] = [None] * self.count
        dist.all_gather_object(items, item, group=self.group)
        return items

    def wait(self) -> None:
        """Goes on when all processes have come here."""
        if self.count > 1:
            dist.barrier(group=self.group)

    def own_group(self) -> Any:
        """A further group for exchanges that go on beside the training."""
        return dist.new_group(backend="gloo") if self.count > 1 else None


def local_device(name: str) -> str:
    """The device of this process: `torchrun` gives each process of a machine its own GPU."""
    local = os.environ.get("LOCAL_RANK")
    if local is not None and name in ("auto", "cuda") and torch.cuda.is_available():
        torch.cuda.set_device(int(local))
        return f"cuda:{local}"
    return name

"""Several processes that `torchrun` started, which divide one evaluation among them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist

from flamingo.foundation.sharing import Share

Thing = TypeVar("Thing")
_PATIENCE = timedelta(days=7)
"""How long a process waits for the others: `torchrun` ends all when one of them fails."""


def share_of_torchrun() -> Share:
    """Which of the processes this is; everything is its share where `torchrun` is not used."""
    return Share(int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)))


def device_of_torchrun() -> str | None:
    """The GPU of this process; None where there is no choice."""
    if "LOCAL_RANK" not in os.environ or not torch.cuda.is_available():
        return None
    return f"cuda:{int(os.environ['LOCAL_RANK']) % torch.cuda.device_count()}"


def every_nth(things: Sequence[Thing], share: Share) -> Sequence[Thing]:
    """Its things: one of the first few, one of the next few, so that all have like work."""
    return things[share.index :: share.count]


def wait_for_all(share: Share) -> None:
    """Returns when every process has come here."""
    if share.count == 1:
        return
    if not dist.is_initialized():
        dist.init_process_group("gloo", timeout=_PATIENCE)
    dist.barrier()


def part(share: Share) -> None:
    """Ends what `wait_for_all` began."""
    if share.count > 1 and dist.is_initialized():
        dist.destroy_process_group()

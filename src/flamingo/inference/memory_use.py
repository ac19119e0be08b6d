"""Bytes that a piece of work takes at its worst moment, and those of a model's weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile


def peak_bytes(work: Callable[[], object]) -> int:
    """Bytes that torch's CPU allocator had given out at the worst moment, beyond those before.

    It sees what kernels allocate for themselves too, unlike whatever only looks at tensors.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as trace:
        work()
    assert trace.profiler is not None
    events = trace.profiler.kineto_results.events()
    changes = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
    now = peak = 0
    for _, change in changes:
        now += change
        peak = max(peak, now)
    return peak


def peak_bytes_on(device: torch.device, work: Callable[[], object]) -> int | None:
    """The same on any device; None where its allocator does not tell, as on MPS."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        return torch.cuda.max_memory_allocated(device) - before
    return peak_bytes(work) if device.type == "cpu" else None


def parameter_bytes(model: nn.Module) -> int:
    """Bytes of all weights and buffers."""
    tensors = [*model.parameters(), *model.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

"""Seconds and bytes of a piece of work."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch
from torch.profiler import ProfilerActivity, profile


@dataclass(frozen=True)
class Times:
    """Medians over repetitions; on a shared machine CPU time is the steadier of the two."""

    wall_seconds: float
    cpu_seconds: float


def measure_times(work: Callable[[], object], repeats: int, *, warmup: int = 1) -> Times:
    """How long `work` takes, after it was done `warmup` times unmeasured."""
    for _ in range(warmup):
        work()
    wall, cpu = [], []
    for _ in range(repeats):
        wall_start, cpu_start = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - wall_start)
        cpu.append(time.process_time() - cpu_start)
    return Times(median(wall), median(cpu))


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


def parameter_bytes(model: torch.nn.Module) -> int:
    """Bytes of all weights and buffers."""
    tensors = [*model.parameters(), *model.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def store_frozen_in_bf16(model: torch.nn.Module) -> None:
    """Halves the weights that are not trained, as our recipes do."""
    for parameter in model.parameters():
        if not parameter.requires_grad:
            parameter.data = parameter.data.to(torch.bfloat16)

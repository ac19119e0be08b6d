"""Seconds and bytes of a piece of work."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch

from flamingo.inference.memory_use import parameter_bytes, peak_bytes

__all__ = ["Times", "measure_times", "parameter_bytes", "peak_bytes", "store_frozen_in_bf16"]


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


def store_frozen_in_bf16(model: torch.nn.Module) -> None:
    """Halves the weights that are not trained, as our recipes do."""
    for parameter in model.parameters():
        if not parameter.requires_grad:
            parameter.data = parameter.data.to(torch.bfloat16)

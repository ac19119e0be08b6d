"""How much of what a GPU could compute a training run makes use of."""

from __future__ import annotations

import re

from flamingo.foundation.errors import ConfigError, nearest

PEAK_FLOPS: dict[str, float] = {
    "a10": 125e12,
    "a100": 312e12,
    "a6000": 154.8e12,
    "b200": 2_250e12,
    "h100": 989e12,
    "h100-nvl": 835e12,
    "h100-pcie": 756e12,
    "h200": 989e12,
    "l4": 121e12,
    "l40s": 362e12,
    "mi300x": 1_307e12,
    "rtx3090": 71e12,
    "rtx4090": 165.2e12,
    "rtx5090": 209.5e12,
    "tpu-v4": 275e12,
}
"""bf16 operations per second of one device, dense, accumulated in fp32.

Source: the makers' data sheets, where figures "with sparsity" are halved: NVIDIA's of A10, A100,
H100, H200, B200, L4 and L40S, and its white papers on Ampere, Ada and Blackwell RTX; AMD's of
MI300X; Google's documentation of TPU v4. "h100" is the SXM module.
"""


def peak_flops(gpu: str) -> float:
    """Operations per second that the GPU called `gpu` can make in bf16.

    Raises:
        ConfigError: there is no such name in the table.
    """
    if gpu not in PEAK_FLOPS:
        raise ConfigError(f"The peak of a GPU {gpu!r} is not known. {nearest(gpu, PEAK_FLOPS)}")
    return PEAK_FLOPS[gpu]


def peak_flops_of_device(name: str) -> float | None:
    """The peak of the device that its driver calls `name`, or `None` where it is not known.

    Example:
        >>> peak_flops_of_device("NVIDIA H100 80GB HBM3") == PEAK_FLOPS["h100"]
        True
    """
    words = set(re.split(r"[ -]", re.sub(r"rtx (?=\d)", "rtx", name.lower())))
    known = [gpu for gpu in PEAK_FLOPS if words >= set(gpu.split("-"))]
    return PEAK_FLOPS[max(known, key=len)] if known else None


def flops_utilization(flops: float, seconds: float, *, peak: float, num_gpus: int = 1) -> float:
    """The share of the peak that was reached.

    With the operations of forward and backward alone this is the model FLOPs utilization (MFU);
    with those that activation checkpointing makes a second time it is the hardware's (HFU).

    Args:
        flops: operations that were made, on all GPUs.
        seconds: time that they took.
        peak: operations per second that one GPU could make, see `PEAK_FLOPS`.
        num_gpus: how many GPUs shared the work.

    Raises:
        ConfigError: no time, no GPU or no peak.
    """
    if not (seconds > 0 and peak > 0 and num_gpus >= 1):
        raise ConfigError(
            f"A utilization needs time, a peak and a GPU, but seconds={seconds}, peak={peak} and "
            f"num_gpus={num_gpus}. Give positive numbers."
        )
    return flops / seconds / (peak * num_gpus)

"""Where tensors live and how wide their numbers are, chosen once and by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch

from flamingo.foundation.errors import ConfigError, nearest

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
DTYPE_NAMES = ("fast", "steady", *DTYPES)
"""What `dtype_for` knows."""


def pick_device(name: str = "auto") -> torch.device:
    """The device called `name`; "auto" is the first of CUDA, MPS and CPU that is there.

    Raises:
        ConfigError: no such device, or not on this machine.
    """
    has_mps = torch.backends.mps.is_available()
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        known = nearest(name, ("auto", "cpu", "cuda", "mps"))
        raise ConfigError(f"There is no device {name!r}. {known}") from None
    is_here = {"cuda": torch.cuda.is_available(), "mps": has_mps}.get(device.type, True)
    if not is_here or (device.index or 0) >= max(torch.cuda.device_count(), 1):
        raise ConfigError(f"The device {name!r} is not on this machine. Use 'auto' or 'cpu'.")
    return device


def fast_dtype(device: torch.device) -> torch.dtype:
    """The number format in which a model answers fastest on `device`, without risk: bf16 or fp32.

    bfloat16 where the hardware multiplies it: GPUs of NVIDIA from compute capability 8 on, and
    CPUs with AVX-512 BF16 or AMX. Elsewhere float32: older GPUs emulate bfloat16, and float16,
    which they do have, ends at 65504, where the activations of some language models do not; CPUs
    that must widen it first need several times as long to read a prompt; and on MPS it was not
    measured.
    """
    if device.type == "cuda":
        is_fast = torch.cuda.get_device_capability(device) >= (8, 0)
    elif device.type == "cpu":
        found = torch.cpu.get_capabilities()
        is_fast = bool(found.get("avx512_bf16") or found.get("amx_bf16"))
    else:
        is_fast = False
    return torch.bfloat16 if is_fast else torch.float32


def dtype_for(name: str, device: torch.device) -> torch.dtype:
    """The number format called `name`, for inference on `device`.

    Args:
        name: "fp32", "bf16" or "fp16"; "fast", see `fast_dtype`; or "steady", which is fp32 on any
            CPU, so that scores do not hang on which one it is, and bf16 on a GPU.
        device: where the model will be.

    Raises:
        ConfigError: no such format.
    """
    if name == "fast":
        return fast_dtype(device)
    if name == "steady":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    if name not in DTYPES:
        raise ConfigError(f"There is no number format {name!r}. {nearest(name, DTYPE_NAMES)}")
    return DTYPES[name]


def set_threads(num_threads: int | None) -> None:
    """Limits the CPU threads of one operation; None leaves torch's own choice."""
    if num_threads is None:
        return
    if num_threads < 1:
        raise ConfigError(f"threads must be at least 1, not {num_threads}.")
    torch.set_num_threads(num_threads)


def to_device(batch: Any, device: torch.device) -> Any:
    """Moves a batch: a tensor, a mapping or sequence of them, or anything with `.to(device)`."""
    if hasattr(batch, "to"):
        if isinstance(batch, torch.Tensor):
            return batch.to(device, non_blocking=True)
        return batch.to(device)
    if isinstance(batch, Mapping):
        return {key: to_device(value, device) for key, value in batch.items()}
    if isinstance(batch, (list, tuple)) and not hasattr(batch, "_fields"):
        return type(batch)(to_device(value, device) for value in batch)
    if dataclasses.is_dataclass(batch) and not isinstance(batch, type):
        fields = dataclasses.fields(batch)
        moved = {f.name: to_device(getattr(batch, f.name), device) for f in fields if f.init}
        return dataclasses.replace(batch, **moved)
    return batch

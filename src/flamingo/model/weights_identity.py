"""Tells weights apart, down to the last bit, and tells when they change."""

from __future__ import annotations

import hashlib

import torch
from torch import nn


def weights_sha256(module: nn.Module) -> str:
    """A hash of all weights as they were loaded: names, number formats, shapes and values."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        # As bytes: numpy has no bfloat16.
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def weights_stamp(module: nn.Module) -> int:
    """A number that is another one once a weight was written to, moved or exchanged.

    It costs little, means nothing in another process, and says nothing about equality. What is
    written past autograd (through `.data`) is told by the first number of each tensor. Not seen
    are settings, and adapters that are switched on or off.
    """
    tensors = [*module.parameters(), *module.buffers()]
    told = [(t.data_ptr(), 0 if t.is_inference() else t._version) for t in tensors]
    with torch.no_grad():
        firsts = [t[(0,) * t.dim()].double() for t in tensors if t.numel() and not t.is_meta]
        # One transfer per device.
        for device in {first.device for first in firsts}:
            own = torch.stack([first for first in firsts if first.device == device])
            told += [(value, 0) for value in own.tolist()]
    return hash(tuple(told))

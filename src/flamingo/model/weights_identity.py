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

    It costs next to nothing, means nothing in another process, and says nothing about equality.
    """
    return hash(
        tuple(
            (tensor.data_ptr(), 0 if tensor.is_inference() else tensor._version)
            for tensor in (*module.parameters(), *module.buffers())
        )
    )

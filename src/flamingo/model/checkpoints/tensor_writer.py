"""Writes safetensors of any size, one tensor in memory at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import torch
from torch import Tensor

INDEX = "model.safetensors.index.json"

_NAMES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


@dataclass(frozen=True)
class Planned:
    """A tensor that is to be written: its shape and number format are known before it is read."""

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def num_bytes(self) -> int:
        """In the file."""
        return prod(self.shape) * self.dtype.itemsize


def shards_of(planned: Sequence[Planned], most_bytes: int) -> list[list[Planned]]:
    """The tensors in their order, cut where a file would become larger than `most_bytes`."""
    shards: list[list[Planned]] = []
    size = 0
    for tensor in planned:
        if not shards or (size and size + tensor.num_bytes > most_bytes):
            shards.append([])
            size = 0
        shards[-1].append(tensor)
        size += tensor.num_bytes
    return shards


def shard_names(count: int) -> list[str]:
    """As transformers calls them."""
    if count == 1:
        return ["model.safetensors"]
    return [f"model-{number:05}-of-{count:05}.safetensors" for number in range(1, count + 1)]


def write_shard(
    path: Path,
    planned: Sequence[Planned],
    read: Callable[[str], Tensor],
    made_of: str,
    written: Callable[[int], object] = lambda num_bytes: None,
) -> bool:
    """Writes one file, unless it is there already, written whole from the same source.

    Args:
        path: the file; it appears when all of it is written.
        planned: its tensors, in order.
        read: gives a tensor by name.
        made_of: says what it is made of; kept in the file.
        written: is called with the bytes that are written so far.

    Returns:
        Whether it had to be written.
    """
    head = _header(planned, made_of)
    if _is_there(path, head, sum(tensor.num_bytes for tensor in planned)):
        return False
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(head)
        done = 0
        for tensor in planned:
            value = read(tensor.name).to(tensor.dtype).contiguous()
            # Bytes as they lie in memory: bfloat16 is unknown to numpy.
            value.reshape(-1).view(torch.uint8).numpy().tofile(file)
            done += tensor.num_bytes
            written(done)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return True


def write_index(folder: Path, shards: Mapping[str, Sequence[Planned]]) -> None:
    """Says which file each tensor is in; needed where there are several."""
    total = sum(tensor.num_bytes for planned in shards.values() for tensor in planned)
    names = {tensor.name: file for file, planned in shards.items() for tensor in planned}
    index = {"metadata": {"total_size": total}, "weight_map": names}
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def _header(planned: Sequence[Planned], made_of: str) -> bytes:
    """The head of a file: its own length, then names, shapes and places as JSON."""
    entries: dict[str, object] = {"__metadata__": {"format": "pt", "made_of": made_of}}
    start = 0
    for tensor in planned:
        end = start + tensor.num_bytes
        entries[tensor.name] = {
            "dtype": _NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    # Numbers begin at a multiple of 8 bytes, so that they can be used where they lie.
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _is_there(path: Path, head: bytes, num_bytes: int) -> bool:
    if not path.is_file() or path.stat().st_size != len(head) + num_bytes:
        return False
    with path.open("rb") as file:
        return file.read(len(head)) == head

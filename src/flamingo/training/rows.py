"""Batches as rows: counted, cut, and joined, whatever mapping or dataclass of tensors they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from flamingo.foundation.errors import DataError

_FILL = {"labels": -100}
"""What fills up a tensor where rows differ in length; 0 for all others."""


def num_rows(batch: Any) -> int:
    """How many rows a batch has."""
    return max(value.shape[0] for value in _plain(batch).values() if _has_rows(value))


def rows_of(batch: Any, rows: range) -> Any:
    """Some neighboring rows of a batch."""
    cut = {
        name: value[rows.start : rows.stop] if _has_rows(value) else value
        for name, value in _plain(batch).items()
    }
    return _like(batch, cut)


def split_rows(batch: Any, num_parts: int) -> Iterator[Any]:
    """Cuts a batch along its first dimension into at most `num_parts`."""
    total = num_rows(batch)
    size = -(-total // num_parts)
    for start in range(0, total, size):
        yield rows_of(batch, range(start, min(start + size, total)))


def join_rows(batches: Sequence[Any]) -> Any:
    """One batch of the rows of all; what is shorter, or absent, is filled up.

    Raises:
        DataError: two batches have tensors of different ranks under one name.
    """
    plain = [_plain(batch) for batch in batches]
    names = list(dict.fromkeys(name for fields in plain for name in fields))
    sizes = [num_rows(batch) for batch in batches]
    return _like(
        batches[0],
        {name: _joined(name, [fields.get(name) for fields in plain], sizes) for name in names},
    )


def _joined(name: str, values: Sequence[Any], sizes: Sequence[int]) -> Tensor | None:
    present = [value for value in values if _has_rows(value)]
    if not present:
        return None
    ranks = {value.ndim for value in present}
    if len(ranks) > 1:
        raise DataError(
            f"batches cannot be joined: their {name!r} have {sorted(ranks)} dimensions.\n"
            "Sources of one kind of batch can be merged; use training.mixing=accumulate for others."
        )
    shape = [max(sides) for sides in zip(*(value.shape[1:] for value in present), strict=True)]
    fill = _FILL.get(name, 0)
    parts = []
    for value, size in zip(values, sizes, strict=True):
        if not _has_rows(value):
            parts.append(present[0].new_full((size, *shape), fill))
            continue
        missing = [side - own for side, own in zip(shape, value.shape[1:], strict=True)]
        padding = [number for side in reversed(missing) for number in (0, side)]
        parts.append(F.pad(value, padding, value=fill) if any(missing) else value)
    return torch.cat(parts)


def field_of(batch: Any, name: str) -> Any:
    """A field of a batch by its name; None where it has none."""
    return _plain(batch).get(name)


def with_fields(batch: Any, **fields: Any) -> Any:
    """The same batch with some fields replaced."""
    return _like(batch, {**_plain(batch), **fields})


def _plain(batch: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(batch) and not isinstance(batch, type):
        return {f.name: getattr(batch, f.name) for f in dataclasses.fields(batch) if f.init}
    return dict(batch)


def _like(batch: Any, fields: dict[str, Any]) -> Any:
    return fields if isinstance(batch, Mapping) else dataclasses.replace(batch, **fields)


def _has_rows(value: Any) -> bool:
    return isinstance(value, Tensor) and value.ndim > 0

"""The nearest of many hashes, by the number of bits that differ: all are compared with all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]

_SOUGHT_AT_ONCE, _SEARCHED_AT_ONCE = 64, 4096
"""A table of so many differences stays in the processor's cache."""


def near_hashes(searched: Hashes, sought: Hashes, max_distance: int, num: int) -> Iterator[Rows]:
    """For each hash that is sought, in order, the rows of the nearest ones that are searched.

    Of equally near ones those with the lower row numbers come first.

    Args:
        searched: `[many]`.
        sought: `[few]`.
        max_distance: bits that may differ.
        num: how many for each at most.
    """
    for start in range(0, len(sought), _SOUGHT_AT_ONCE):
        yield from _nearest(searched, sought[start : start + _SOUGHT_AT_ONCE], max_distance, num)


def _nearest(searched: Hashes, sought: Hashes, max_distance: int, num: int) -> list[Rows]:
    rows: list[Rows] = [np.empty(0, np.int64) for _ in sought]
    distances: list[npt.NDArray[np.uint8]] = [np.empty(0, np.uint8) for _ in sought]
    shape = (len(sought), _SEARCHED_AT_ONCE)
    different, counts = np.empty(shape, np.uint64), np.empty(shape, np.uint8)
    for start in range(0, len(searched), _SEARCHED_AT_ONCE):
        few = searched[start : start + _SEARCHED_AT_ONCE]
        np.bitwise_xor(sought[:, None], few, out=different[:, : len(few)])
        np.bitwise_count(different[:, : len(few)], out=counts[:, : len(few)])
        is_near = counts[:, : len(few)] <= max_distance
        for number in np.flatnonzero(is_near.any(axis=1)):
            columns = np.flatnonzero(is_near[number])
            both = np.concatenate([distances[number], counts[number, columns]])
            best = np.argsort(both, kind="stable")[:num]
            rows[number] = np.concatenate([rows[number], columns + start])[best]
            distances[number] = both[best]
    return rows

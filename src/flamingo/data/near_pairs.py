"""All pairs of hashes that differ in few bits, among millions, without comparing all with all.

The 64 bits are cut into parts, more of them than bits may differ. Two near hashes then agree in at
least so many parts as are left over, so it is enough to compare those that agree in some choice of
that many parts, for every choice. No pair is missed.

Source: Manku et al. 2007, "Detecting near-duplicates for web crawling".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import comb

import numpy as np
import numpy.typing as npt

from flamingo.foundation.errors import ConfigError

Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]

NUM_BITS = 64
MAX_DISTANCE = 16
"""With more, there are too many choices of parts."""

_COMPARED_AT_ONCE = 1 << 20
_SORTING, _COMPARING = 1.5e-7, 4e-8
"""Seconds per hash and per pair, roughly: only their ratio counts, and only for speed."""


@dataclass(frozen=True, eq=False)
class NearPairs:
    """Pairs of rows, sorted by the first, then by the second.

    Attributes:
        first: rows of one side.
        second: rows of the other.
        distances: bits that differ.
    """

    first: Rows
    second: Rows
    distances: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.first)


def near_pairs(hashes: Hashes, max_distance: int, groups: Hashes | None = None) -> NearPairs:
    """All pairs of rows, the first below the second, whose hashes are near.

    Equal hashes are pairs too: a hash that is there a million times should be given once.

    Args:
        hashes: `[many]`.
        max_distance: bits that may differ, 0 to 16.
        groups: if given, only pairs of rows of the same group are sought.

    Raises:
        ConfigError: `max_distance` is out of its range.
    """
    masks = choices_of_parts(max_distance, len(hashes), len(hashes) // 2)
    found = []
    for number, mask in enumerate(masks):
        keys = hashes & mask
        if groups is not None:
            keys += groups * np.uint64(0x9E3779B97F4A7C15)  # other groups rarely have this key
        order = np.argsort(keys, kind="stable")
        ends = _ends_of_runs(keys[order])
        positions = np.arange(len(order))
        for ours, theirs in _expanded(positions + 1, ends - positions - 1):
            first, second = order[ours], order[theirs]
            near = _kept(hashes[first] ^ hashes[second], max_distance, masks[:number])
            if groups is not None:
                near &= groups[first] == groups[second]
            found.append((first[near], second[near]))
    return _sorted(found, hashes, hashes)


def near_between(searched: Hashes, sought: Hashes, max_distance: int) -> NearPairs:
    """All pairs of a row of `sought` and a row of `searched` whose hashes are near.

    Args:
        searched: `[many]`.
        sought: `[many]`.
        max_distance: bits that may differ, 0 to 16.

    Raises:
        ConfigError: `max_distance` is out of its range.
    """
    masks = choices_of_parts(max_distance, len(searched) + len(sought), len(searched))
    found = []
    for number, mask in enumerate(masks):
        keys, wanted = searched & mask, sought & mask
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        starts = np.searchsorted(keys, wanted, "left")
        for ours, theirs in _expanded(starts, np.searchsorted(keys, wanted, "right") - starts):
            second = order[theirs]
            near = _kept(sought[ours] ^ searched[second], max_distance, masks[:number])
            found.append((ours[near], second[near]))
    return _sorted(found, sought, searched)


def choices_of_parts(max_distance: int, num: int, partners: int) -> list[np.uint64]:
    """The bits of each choice of parts, cut so that the search is fast.

    Args:
        max_distance: bits that may differ.
        num: hashes to be sorted or looked up for each choice.
        partners: hashes that each of them would be compared with, if all were.

    Raises:
        ConfigError: `max_distance` is out of its range.
    """
    if not 0 <= max_distance <= MAX_DISTANCE:
        raise ConfigError(
            f"hashes may differ in {max_distance} bits, but with this search in 0 to "
            f"{MAX_DISTANCE}.\nGive a number of that range."
        )

    def seconds(spare: int) -> float:
        agreeing = NUM_BITS * spare / (max_distance + spare)
        each = _SORTING + _COMPARING * partners / 2**agreeing
        return comb(max_distance + spare, spare) * num * each

    spare = min(range(1, 5), key=seconds)
    edges = np.linspace(0, NUM_BITS, max_distance + spare + 1).astype(int).tolist()
    parts = [(1 << end) - (1 << start) for start, end in pairwise(edges)]
    return [np.uint64(sum(choice)) for choice in combinations(parts, spare)]


def _ends_of_runs(values: Hashes) -> Rows:
    """For each of sorted values, where the run of its equals ends."""
    is_last = np.append(values[1:] != values[:-1], True)[: len(values)]
    lasts = np.flatnonzero(is_last) + 1
    return np.repeat(lasts, np.diff(lasts, prepend=0))


def _expanded(starts: Rows, counts: Rows) -> Iterator[tuple[Rows, Rows]]:
    """Each row beside each of its `counts` partners from `starts` on, about a million at a time."""
    rows = np.flatnonzero(counts)
    totals = np.cumsum(counts[rows])
    begin = 0
    while begin < len(rows):
        done = totals[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(totals, done + _COMPARED_AT_ONCE, "right")))
        few = rows[begin:end]
        lengths = counts[few]
        before = np.repeat(np.cumsum(lengths) - lengths, lengths)
        yield (
            np.repeat(few, lengths),
            np.arange(len(before)) - before + np.repeat(starts[few], lengths),
        )
        begin = end


def _kept(
    different: Hashes, max_distance: int, earlier: Sequence[np.uint64]
) -> npt.NDArray[np.bool_]:
    """Which pairs are near and were not found with an earlier choice."""
    near = np.bitwise_count(different) <= max_distance
    rows = np.flatnonzero(near)
    for mask in earlier:
        near[rows] &= (different[rows] & mask) != 0
    return near


def _sorted(found: Sequence[tuple[Rows, Rows]], hashes: Hashes, others: Hashes) -> NearPairs:
    empty = np.empty(0, np.int64)
    first = np.concatenate([empty, *(pair[0] for pair in found)])
    second = np.concatenate([empty, *(pair[1] for pair in found)])
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    return NearPairs(first, second, np.bitwise_count(hashes[first] ^ others[second]))

"""Search by parts finds the pairs that comparing all with all finds, and no other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.data import near_pairs as module
from flamingo.data.near_pairs import MAX_DISTANCE, choices_of_parts, near_between, near_pairs
from flamingo.foundation.errors import ConfigError

HASHES = st.lists(st.sets(st.integers(0, 63), max_size=5), max_size=12).map(
    lambda bits: np.array([sum(1 << bit for bit in one) for one in bits], np.uint64)
)
"""Hashes of few bits each, so that many are near."""


def planted(num: int, seed: int, max_flips: int) -> np.ndarray:
    """Random hashes, every second one a copy of the one before with some bits flipped."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, num, np.uint64)
    for row in range(1, num, 2):
        flipped = rng.choice(64, rng.integers(0, max_flips + 1), replace=False)
        hashes[row] = hashes[row - 1] ^ np.uint64(sum(1 << int(bit) for bit in flipped))
    return hashes


def all_with_all(first: np.ndarray, second: np.ndarray, max_distance: int) -> np.ndarray:
    return np.bitwise_count(first[:, None] ^ second) <= max_distance


@pytest.mark.parametrize("max_distance", [0, 1, 3, 4, 5, 6])
def test_no_pair_of_thousands_is_missed(max_distance: int) -> None:
    hashes = planted(3000, seed=max_distance, max_flips=max_distance + 2)
    rows, columns = np.nonzero(np.triu(all_with_all(hashes, hashes, max_distance), 1))
    found = near_pairs(hashes, max_distance)
    assert len(found) > 400
    np.testing.assert_array_equal(found.first, rows)
    np.testing.assert_array_equal(found.second, columns)
    np.testing.assert_array_equal(found.distances, np.bitwise_count(hashes[rows] ^ hashes[columns]))


@pytest.mark.parametrize("max_distance", [0, 3, 6])
def test_no_pair_of_two_sides_is_missed(max_distance: int) -> None:
    hashes = planted(2000, seed=9, max_flips=max_distance + 2)
    searched, sought = hashes[::2], hashes[1::2][::-1]
    rows, columns = np.nonzero(all_with_all(sought, searched, max_distance))
    found = near_between(searched, sought, max_distance)
    assert len(found) > 200
    np.testing.assert_array_equal(found.first, rows)
    np.testing.assert_array_equal(found.second, columns)


@settings(max_examples=60, deadline=None)
@given(HASHES, st.integers(0, 7), st.lists(st.integers(0, 2), min_size=12, max_size=12))
def test_groups_are_kept_apart(hashes: np.ndarray, max_distance: int, numbers: list[int]) -> None:
    groups = np.array(numbers[: len(hashes)], np.uint64)
    near = np.triu(all_with_all(hashes, hashes, max_distance), 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_COMPARED_AT_ONCE", 3)
        found = near_pairs(hashes, max_distance, groups)
    rows, columns = np.nonzero(near & (groups[:, None] == groups))
    assert (found.first.tolist(), found.second.tolist()) == (rows.tolist(), columns.tolist())


@pytest.mark.parametrize("num", [10, 10_000, 100_000_000])
@pytest.mark.parametrize("max_distance", [0, 1, 4, MAX_DISTANCE])
def test_parts_are_such_that_near_hashes_agree_in_one_choice(num: int, max_distance: int) -> None:
    masks = [int(mask) for mask in choices_of_parts(max_distance, num, num)]
    # The worst case: as many parts as possible differ, wherever they are.
    rng = np.random.default_rng(num)
    for _ in range(50):
        different = sum(1 << int(bit) for bit in rng.choice(64, max_distance, replace=False))
        assert any(different & mask == 0 for mask in masks)


@pytest.mark.parametrize("max_distance", [-1, MAX_DISTANCE + 1])
def test_an_impossible_distance_is_refused(max_distance: int) -> None:
    with pytest.raises(ConfigError, match=f"{max_distance} bits, but"):
        near_pairs(np.zeros(2, np.uint64), max_distance)

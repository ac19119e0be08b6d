"""The nearest hashes are those that comparing one by one gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.data import near_hashes as module
from flamingo.data.near_hashes import near_hashes

FEW_BITS = st.lists(st.integers(0, 255).map(lambda bits: (bits << 58 | bits) % 2**64), max_size=8)
"""Hashes that differ in both of their ends."""


def one_by_one(searched: list[int], one: int, max_distance: int, num: int) -> list[int]:
    distances = [(other ^ one).bit_count() for other in searched]
    order = sorted(range(len(searched)), key=lambda row: (distances[row], row))
    return [row for row in order if distances[row] <= max_distance][:num]


@settings(max_examples=30, deadline=None)
@given(FEW_BITS, FEW_BITS, st.integers(0, 8), st.integers(1, 4))
def test_it_finds_what_comparing_one_by_one_finds(
    searched: list[int], sought: list[int], max_distance: int, num: int
) -> None:
    arrays = (np.array(searched, np.uint64), np.array(sought, np.uint64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SOUGHT_AT_ONCE", 2)
        patch.setattr(module, "_SEARCHED_AT_ONCE", 3)
        found = [rows.tolist() for rows in near_hashes(*arrays, max_distance, num)]
    assert found == [one_by_one(searched, one, max_distance, num) for one in sought]

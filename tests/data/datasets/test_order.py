from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.datasets.order import Permutation


@given(st.integers(1, 200), st.integers(0, 2**40))
def test_every_position_has_its_own_number(size: int, seed: int) -> None:
    order = Permutation(size, "order", seed)
    assert sorted(order[position] for position in range(size)) == list(range(size))
    assert len(order) == size


@pytest.mark.parametrize("size", [1, 2, 3, 4, 8, 9, 10, 15, 16, 17, 255, 256, 257, 1009])
def test_sizes_around_squares_and_powers(size: int) -> None:
    order = Permutation(size, 7)
    assert {order[position] for position in range(size)} == set(range(size))


def test_a_large_order_needs_no_memory_and_stays_inside() -> None:
    size = 10**15 + 37
    order = Permutation(size, "large")
    found = [order[position] for position in [0, 1, 2, size // 2, size - 2, size - 1]]
    assert len(set(found)) == len(found)
    assert all(0 <= number < size for number in found)


def test_the_key_decides() -> None:
    def order(*key: int | str) -> list[int]:
        return [Permutation(50, *key)[position] for position in range(50)]

    assert order("a", 0) == order("a", 0)
    different = [order("a", 0), order("a", 1), order("b", 0), order("a", 0, 0)]
    assert len({tuple(one) for one in different}) == 4
    assert all(one != list(range(50)) for one in different)


def test_it_is_the_same_on_every_machine() -> None:
    assert [Permutation(5, "a", 0)[position] for position in range(5)] == [3, 1, 0, 2, 4]


def test_all_orders_of_four_are_about_equally_likely() -> None:
    counts = Counter(
        tuple(Permutation(4, epoch)[position] for position in range(4)) for epoch in range(1200)
    )
    assert len(counts) == 24
    assert 25 < min(counts.values()) <= max(counts.values()) < 80  # 50 expected


def test_neighbors_are_taken_apart() -> None:
    order = Permutation(1000, "spread")
    gaps = [abs(order[position] - order[position + 1]) for position in range(999)]
    assert abs(sum(gaps) / len(gaps) - 1000 / 3) < 25  # of two random numbers


@pytest.mark.parametrize("position", [-1, 5, 6])
def test_there_is_nothing_outside(position: int) -> None:
    with pytest.raises(IndexError, match="of 5"):
        Permutation(5, "a")[position]

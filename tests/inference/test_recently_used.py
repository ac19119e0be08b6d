"""Tensors in memory within a budget."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.foundation.errors import ConfigError
from flamingo.inference.recently_used import RecentlyUsed


def test_the_one_that_was_not_used_for_longest_is_forgotten() -> None:
    memory = RecentlyUsed(most_bytes=3 * 4)
    for name in "abc":
        memory.put(name, torch.zeros(1))
    assert memory.get("a") is not None
    memory.put("d", torch.ones(1))
    assert list(memory) == ["c", "a", "d"]
    assert memory.get("b") is None


def test_without_a_budget_all_stay() -> None:
    memory = RecentlyUsed()
    for name in "abc":
        memory.put(name, torch.zeros(5, dtype=torch.bfloat16))
    assert len(memory) == 3
    assert memory.num_bytes == 30


@settings(max_examples=50)
@given(
    st.integers(0, 20),
    st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | st.integers(0, 4))),
)
def test_it_is_what_a_list_in_the_order_of_use_would_be(
    most: int, steps: list[tuple[str, int | None]]
) -> None:
    memory, expected = RecentlyUsed(most_bytes=most), list[tuple[str, int]]()
    for name, size in steps:
        known = dict(expected)
        if size is None:
            assert (memory.get(name) is not None) == (name in known)
            size = known.get(name)
        else:
            memory.put(name, torch.zeros(size, dtype=torch.uint8))
        expected = [pair for pair in expected if pair[0] != name]
        expected += [(name, size)] if size is not None else []
        while sum(size for _, size in expected) > most:
            expected.pop(0)
        assert list(memory) == [name for name, _ in expected]
        assert memory.num_bytes == sum(size for _, size in expected)


def test_a_negative_budget_is_refused() -> None:
    with pytest.raises(ConfigError, match="most_bytes is -1, but must be at least 0"):
        RecentlyUsed(-1)

"""Rows at once: as many as their caches have room for."""

from __future__ import annotations

import pytest

from flamingo.inference.room import READ_AT_ONCE, ROWS_AT_ONCE, TOKENS_AT_ONCE, rows_that_fit


@pytest.mark.parametrize(
    ("num_cached", "num_read", "rows"),
    [
        # The paper's 16 shots of a dialogue, and a caption without any.
        (1_800, 20, TOKENS_AT_ONCE // 1_820),
        (10, 5, ROWS_AT_ONCE),
        (10, 32, READ_AT_ONCE // 32),
        (TOKENS_AT_ONCE, 1, 1),
        (0, 0, ROWS_AT_ONCE),
    ],
)
def test_rows_have_room(num_cached: int, num_read: int, rows: int) -> None:
    assert rows_that_fit(TOKENS_AT_ONCE, num_cached, num_read) == rows


def test_one_row_is_always_read() -> None:
    assert rows_that_fit(0, 10, 1) == rows_that_fit(-50, 10, 10**6) == 1

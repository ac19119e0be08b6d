"""How many rows a language model reads at once, each with a copy of its prompt's cache."""

from __future__ import annotations

TOKENS_AT_ONCE = 2**15
"""Tokens whose keys and values copied caches hold at most, those read now included.

For 32 layers of width 4,096 in 16 bits these are 16 GiB; less where heads share keys and values."""

READ_AT_ONCE = 2**13
"""Tokens that are read at most: each brings logits over the whole vocabulary."""

ROWS_AT_ONCE = 1024
"""Rows that are read at most, however short they are."""


def rows_that_fit(tokens: int, num_cached: int, num_read: int) -> int:
    """Rows that are read at once; at least one, even if its tokens are too many.

    Args:
        tokens: the room for all rows, `TOKENS_AT_ONCE` or what is left of it.
        num_cached: tokens that the cache holds of each row.
        num_read: tokens that are read of each row.
    """
    by_cache = tokens // max(1, num_cached + num_read)
    return max(1, min(ROWS_AT_ONCE, by_cache, READ_AT_ONCE // max(1, num_read)))

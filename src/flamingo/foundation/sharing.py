"""Which part of a common piece of work one of several processes does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """The part of process number `index` out of `count`.

    Example:
        >>> [list(Share(index, 2).rows(6)) for index in range(2)]
        [[0, 1, 2], [3, 4, 5]]
    """

    index: int = 0
    count: int = 1

    def rows(self, size: int) -> range:
        """Its rows of a batch of `size`: one piece, and all pieces in order are the batch."""
        return range(size * self.index // self.count, size * (self.index + 1) // self.count)


EVERYTHING = Share()
"""The share of a process that works alone."""

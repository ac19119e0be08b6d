"""A random order of N samples that is computed, not stored."""

from __future__ import annotations

import math

from flamingo.foundation.randomness import seed_of

_NUM_ROUNDS = 12
"""Even. With fewer, the orders of a handful of samples are visibly not equally likely."""
_MASK = (1 << 64) - 1


class Permutation:
    """A pseudo-random bijection of 0 … size-1, in O(1) memory.

    A Feistel network over two digits of about √size values each: every round adds to one digit a
    keyed hash of the other, so every round, and so the whole, can be undone. The digits reach a
    little beyond `size`; what lands there is sent through again until it does not.

    Args:
        size: how many there are; at least 1.
        key: which of the permutations.

    Example:
        >>> [Permutation(5, "a", 0)[position] for position in range(5)]
        [3, 1, 0, 2, 4]
    """

    def __init__(self, size: int, *key: int | str) -> None:
        self.size = size
        self._high = math.isqrt(size - 1) + 1
        self._low = -(-size // self._high)
        seed = seed_of(*key)
        self._keys = [_hashed(number, seed) for number in range(_NUM_ROUNDS)]

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, position: int) -> int:
        """What stands at `position`.

        Raises:
            IndexError: there is no such position.
        """
        if not 0 <= position < self.size:
            raise IndexError(f"position {position} of {self.size}")
        position = self._sent_through(position)
        while position >= self.size:
            position = self._sent_through(position)
        return position

    def _sent_through(self, value: int) -> int:
        right, left = divmod(value, self._high)
        moduli = (self._high, self._low)
        for number, key in enumerate(self._keys):
            left, right = right, (left + _hashed(right, key)) % moduli[number % 2]
        # The number of rounds is even, so each digit is back at its own side.
        return right * self._high + left


def _hashed(value: int, key: int) -> int:
    """64 bits in which every bit of value and key has had its say (the finalizer of SplitMix64)."""
    mixed = (value * 0x9E3779B97F4A7C15 + key) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return mixed ^ (mixed >> 31)

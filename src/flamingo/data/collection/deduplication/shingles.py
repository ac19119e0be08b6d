"""Texts as sets of numbers, one for every five words in a row."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

WORDS_PER_SHINGLE = 5

_NUM_CHARACTERS = 0x32400
"""Beyond these are no letters of a living script."""
_ALONE = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3041, 0x30FF)),
    *((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF)),
)
"""Thai, Lao, Burmese, Khmer, Kana and Han: written without spaces, so each letter is a word."""
_LONGEST = 1_000_000
"""Characters of a text that are looked at: a hostile page must not take all memory."""
_STEP = 0x9E3779B97F4A7C15
_NUM_POWERS = 256


def shingles(text: str) -> npt.NDArray[np.uint32]:
    """A number for every five words in a row, in order; one for a text of fewer words.

    Words are runs of letters and digits, in small letters; what stands between them, and capital
    letters, make no difference. Of a text of over a million characters the rest is not looked at.
    Equal numbers mean equal words, but for 1 in 2^32 by chance.
    """
    words = _words(text[:_LONGEST].lower())
    num = min(WORDS_PER_SHINGLE, len(words))
    if num == 0:
        return np.empty(0, np.uint32)
    hashes = np.zeros(len(words) - num + 1, np.uint64)
    for place in range(num):
        hashes *= np.uint64(_STEP)
        hashes += words[place : place + len(hashes)]
    return (mixed(hashes) >> np.uint64(32)).astype(np.uint32)


def mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """A permutation of the numbers of 64 bits after which each bit hangs on all bits.

    Source: the finalizer of MurmurHash3.
    """
    values = values ^ (values >> np.uint64(33))
    values *= np.uint64(0xFF51AFD7ED558CCD)
    values ^= values >> np.uint64(33)
    values *= np.uint64(0xC4CEB9FE1A85EC53)
    values ^= values >> np.uint64(33)
    return values


def _words(text: str) -> npt.NDArray[np.uint64]:
    """A number for each word."""
    letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    kinds = _kinds()[np.minimum(letters, _NUM_CHARACTERS)]
    is_first = kinds > 0
    # A letter goes on with the word before it if both are of the kind that makes up words.
    is_first[1:] &= (kinds[1:] != 1) | (kinds[:-1] != 1)
    is_letter = kinds > 0
    starts = np.flatnonzero(is_first[is_letter])
    if len(starts) == 0:
        return np.empty(0, np.uint64)
    letters = letters[is_letter]
    lengths = np.diff(starts, append=len(letters))
    places = np.arange(len(letters)) - np.repeat(starts, lengths)
    values = letters.astype(np.uint64) * _powers()[places % _NUM_POWERS]
    return mixed(np.add.reduceat(values, starts))


@cache
def _kinds() -> npt.NDArray[np.uint8]:
    """0 for what stands between words, 1 for letters and digits, 2 for words of one letter."""
    kinds = np.zeros(_NUM_CHARACTERS + 1, np.uint8)
    kinds[[number for number in range(_NUM_CHARACTERS) if chr(number).isalnum()]] = 1
    for first, last in _ALONE:
        kinds[first : last + 1] *= 2
    return kinds


@cache
def _powers() -> npt.NDArray[np.uint64]:
    powers = np.full(_NUM_POWERS, _STEP, np.uint64)
    return np.multiply.accumulate(powers)

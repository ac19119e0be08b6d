"""Texts that so many images have that they describe none of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable


def text_hash(text: str) -> int:
    """64 bits, the same for texts that differ in nothing but capitals and what is no letter."""
    plain = " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
    digest = hashlib.blake2b(plain.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def frequent_texts(counts: Iterable[Counter[int]], most: int) -> frozenset[int]:
    """The hashes of texts that are there more than `most` times.

    Args:
        counts: how often each hash is there, of one piece after the other; see
            `PairSource.count_texts`.
        most: images that may share a text.
    """
    total: Counter[int] = Counter()
    for piece in counts:
        total.update(piece)
    return frozenset(text for text, count in total.items() if count > most)

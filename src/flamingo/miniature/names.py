"""Invented names for looks: two syllables, and a split that keeps some for evaluation only."""

from __future__ import annotations

from itertools import product

from flamingo.foundation.randomness import seed_of

SYLLABLES: tuple[str, ...] = tuple(
    consonant + vowel for consonant, vowel in product("dfgklmprtz", "aeiou")
)

_HELD_OUT_SHARE = 0.2


def _is_held_out(name: str) -> bool:
    """Decides by the name alone, so that the split stays as it is when names are added."""
    return seed_of("held-out name", name) < _HELD_OUT_SHARE * 2**64


# A syllable said twice ("dada") would be two equal tokens, which a model can copy by mistake.
_NAMES = tuple(first + second for first, second in product(SYLLABLES, SYLLABLES) if first != second)

TRAIN_NAMES: tuple[str, ...] = tuple(name for name in _NAMES if not _is_held_out(name))
HELD_OUT_NAMES: tuple[str, ...] = tuple(name for name in _NAMES if _is_held_out(name))
"""Names that no training text contains; evaluation gives these to looks."""

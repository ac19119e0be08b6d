"""Episodes: looks with texts that follow one pattern, to be read as words or as pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flamingo.miniature.looks import Look


@dataclass(frozen=True)
class Turn:
    """One look and what the document says of it."""

    look: Look
    text: str


@dataclass(frozen=True)
class Episode:
    """A document before it is decided whether its looks are pictures or words.

    Args:
        turns: the looks in order, each followed by its text.
        needed: what a description must tell of the looks, so that the texts can be known.
    """

    turns: tuple[Turn, ...]
    needed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, turns: Iterable[tuple[Look, str]], needed: Iterable[str] = ()) -> Episode:
        """An episode of looks with their texts."""
        return cls(tuple(Turn(look, text) for look, text in turns), frozenset(needed))

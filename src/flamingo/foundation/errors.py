"""Errors that a user can cause. Each message says what, why and what to do, with the values."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FlamingoError(ValueError):
    """The root of every error that this library raises on purpose."""


class ConfigError(FlamingoError):
    """A setting has an impossible value, or a name that does not exist."""


class SequenceError(FlamingoError):
    """Text, visuals and their tags do not fit together."""


class MediaError(FlamingoError):
    """A picture or a video cannot be read, or is not safe to read."""


class DataError(FlamingoError):
    """A data set, a shard or an annotation file is not what it should be."""


class LanguageModelError(FlamingoError):
    """A language model lacks something that gated layers need."""


class CheckpointError(FlamingoError):
    """A checkpoint is missing, incomplete, or of another shape than the model."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Says which names exist, the likeliest one first, to end an error about a wrong name."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    guess = f"Did you mean {close[0]!r}? " if close else ""
    return f"{guess}Known names: {', '.join(names) if names else '(none)'}."


def reason(error: Exception) -> str:
    """The first line of what an error says, or its kind if it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]

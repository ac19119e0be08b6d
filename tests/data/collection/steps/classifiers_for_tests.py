"""Classifiers as a user may bring them along."""

from __future__ import annotations

from collections.abc import Sequence

from flamingo.data.collection.steps.classifiers import Thumbnail

NOT_CALLABLE = 3


def red(thumbnails: Sequence[Thumbnail]) -> list[float]:
    """How red each picture is."""
    return [float(thumbnail[..., 0].mean()) / 255 for thumbnail in thumbnails]


def of_letters(text: str) -> float:
    """The share of the letter x."""
    return text.count("x") / max(len(text), 1)


class Redness:
    """The same as `red`, and remembers how often it was made."""

    num_made = 0

    def __init__(self) -> None:
        Redness.num_made += 1

    def __call__(self, thumbnails: Sequence[Thumbnail]) -> list[float]:
        return red(thumbnails)


def broken(thumbnails: Sequence[Thumbnail]) -> list[float]:
    raise RuntimeError("out of memory")


def too_few(thumbnails: Sequence[Thumbnail]) -> list[float]:
    return [0.0] * (len(thumbnails) - 1)


def no_numbers(thumbnails: Sequence[Thumbnail]) -> list[float]:
    return [float("nan")] * len(thumbnails)


def broken_for_text(text: str) -> float:
    raise RuntimeError("out of memory")

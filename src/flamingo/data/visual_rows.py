"""Which of the visuals that a call was given belong to which row of its batch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from flamingo.data.files import VisualSource
from flamingo.foundation.errors import SequenceError
from flamingo.sequence import Visual
from flamingo.sequence.interleaved import tag_count_error


def is_visual(value: object) -> bool:
    """Whether a value is one visual and not a list of several; frames in a list are one video."""
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(v, Image.Image | np.ndarray) for v in value)
    return isinstance(value, str | Path | bytes | Image.Image | np.ndarray | Visual)


def visual_rows(
    given: Any, texts: Sequence[str], *, tag: str, lists_are_videos: bool = False
) -> list[list[VisualSource]]:
    """The visuals of each text.

    Args:
        given: none, one visual, a flat list in the order of the tags, or one list per text.
        texts: what has the tags.
        tag: how the tag is written.
        lists_are_videos: whether a list of pictures is one video and not several images.

    Raises:
        SequenceError: the number of visuals is not the number of tags.
    """

    def is_one(value: object) -> bool:
        return is_visual(value) and (lists_are_videos or not isinstance(value, list | tuple))

    given = [] if given is None else [given] if is_one(given) else list(given)
    if all(is_one(value) for value in given):
        return _split(given, texts, tag)
    rows = [_as_list(value, is_one(value)) for value in given]
    _check_num_rows(len(rows), len(texts))
    for row, text in zip(rows, texts, strict=True):
        if len(row) != text.count(tag):
            raise tag_count_error(text, tag, text.count(tag), len(row))
    return rows


def _split(visuals: list[Any], texts: Sequence[str], tag: str) -> list[list[VisualSource]]:
    counts = [text.count(tag) for text in texts]
    if len(visuals) != sum(counts):
        if len(texts) == 1:
            raise tag_count_error(texts[0], tag, counts[0], len(visuals))
        raise SequenceError(
            f"the {len(texts)} texts have {counts} {tag} tags, but the number of visuals given "
            f"is {len(visuals)}.\nA flat list holds one visual per tag, in order; one list per "
            "text makes clear which visuals belong where."
        )
    remaining = iter(visuals)
    return [[next(remaining) for _ in range(count)] for count in counts]


def _as_list(value: Any, is_one: bool) -> list[VisualSource]:
    if value is None:
        return []
    return [value] if is_one else list(value)


def _check_num_rows(num_rows: int, num_texts: int) -> None:
    if num_rows != num_texts:
        raise SequenceError(
            f"{num_texts} texts came with visuals for {num_rows}.\n"
            "Nested lists hold one list of visuals per text; an empty list for a text without."
        )

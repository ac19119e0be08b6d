"""One annotated example of a benchmark, before anything of it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Media:
    """A picture, or a video, or a stretch of one.

    Args:
        path: the file.
        start: where the stretch begins, in seconds of the video; at its beginning if None.
        end: where it ends, in seconds; at its end if None.
    """

    path: Path
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class Item:
    """One example: a query, or a support that shows how queries are answered.

    Args:
        id: unique within its pool, taken from the official file where that has one.
        media: what is seen; one picture or video, but for custom tasks.
        fields: what the benchmark's template needs besides the answer, such as "question".
        answer: how it is written where the item is a support; "" where answers are hidden.
        references: all that counts as right, for the metric; none where answers are hidden.
        candidates: answers to choose from, where each item has its own.
        details: what the metric or a submission needs besides; plain JSON values.
    """

    id: str
    media: tuple[Media, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    answer: str = ""
    references: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pool:
    """All items of one official part of a benchmark ("train", "val", "test", …).

    Args:
        items: in the order of the official file.
        candidates: answers to choose from, where all items share them, as class names.
    """

    items: tuple[Item, ...]
    candidates: tuple[str, ...] = ()

"""Stretches of videos as annotation files tell them, checked before anything is loaded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from flamingo.evaluation.benchmarks.item import Media
from flamingo.foundation.errors import DataError

_AGAIN = "Get the file again from the benchmark's official place, and do not change it."


def clip(path: Path, start: int | float, end: int | float, where: str) -> Media:
    """What is shown between two times, in seconds of the video.

    Args:
        path: of the video.
        start: when the clip begins.
        end: when it ends.
        where: how errors call the record, see `place`.

    Raises:
        DataError: no time lies between, or the clip begins before the video does.
    """
    if not (0 <= start < end and math.isfinite(end)):
        raise DataError(
            f"the clip of {where} is impossible: it goes from {start} to {end} seconds.\n{_AGAIN}"
        )
    return Media(path, float(start), float(end))


def seconds_of(row: Mapping[str, str], column: str, where: str) -> float:
    """The time in a column of a CSV file.

    Raises:
        DataError: the column holds no number.
    """
    try:
        seconds = float(row[column])
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise DataError(
            f"the column {column!r} of {where} is no number of seconds, but {row[column]!r}.\n"
            f"{_AGAIN}"
        )
    return seconds

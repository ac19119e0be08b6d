"""Captions in JSON: what Whisper and other recognizers of speech write, and what HowTo100M has."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from flamingo.data.collection.clips.lines import MAX_LINES, CaptionLine
from flamingo.foundation.errors import DataError, reason


def json_of(content: bytes, where: str) -> Any:
    """What a JSON file holds.

    Raises:
        DataError: it is no JSON.
    """
    try:
        return json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is no JSON: {reason(error)}.") from error


def spoken_lines(value: Any) -> list[CaptionLine] | None:
    """The captions in a JSON value, in order of their times; None if it is of no form known here.

    Read are `{"segments": [{"start": 0.0, "end": 2.5, "text": "…"}, …]}` as Whisper has it, the
    list alone, the same with `duration` in place of `end`, and columns as HowTo100M has them:
    `{"start": […], "end": […], "text": […]}`. Times are seconds. Entries without times or text are
    passed over.
    """
    if isinstance(value, Mapping) and isinstance(value.get("segments"), list):
        value = value["segments"]
    if isinstance(value, Mapping):
        columns = [value.get(name) for name in ("start", "end", "text")]
        if not all(isinstance(column, list) for column in columns):
            return None
        entries: Iterator[Any] = zip(*columns, strict=False)  # type: ignore[arg-type]
    elif isinstance(value, list):
        entries = (_entry(one) for one in value)
    else:
        return None
    found: list[CaptionLine] = []
    for start, end, text in entries:
        first, last = _seconds(start), _seconds(end)
        if first is None or last is None or not isinstance(text, str):
            continue
        if text.strip() and last > first >= 0:
            found.append(CaptionLine(first, last, text))
        if len(found) == MAX_LINES:
            break
    return sorted(found, key=lambda line: (line.start, line.end))


def _entry(value: Any) -> tuple[Any, Any, Any]:
    if not isinstance(value, Mapping):
        return None, None, None
    start, end = value.get("start"), value.get("end")
    seconds, duration = _seconds(start), _seconds(value.get("duration"))
    if end is None and seconds is not None and duration is not None:
        end = seconds + duration
    return start, end, value.get("text")


def _seconds(value: Any) -> float | None:
    """A time; JSON can write numbers that are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e9 and math.isfinite(value) else None

"""Captions in WebVTT and SubRip files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flamingo.data.collection.clips.lines import MAX_LINES, CaptionLine

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}")
_COUNTER = re.compile(r"\s*\d{1,7}\s*")
_MAX_CUE = 20
"""Lines of text that belong to one time; no screen shows more."""


def timed_lines(text: str) -> list[CaptionLine]:
    """The captions of a WebVTT or SubRip file, in order of their times.

    Both are read by one rule, as files that mix the two are common: a line with an arrow between
    two times begins a caption, and an empty line ends it. What belongs to no time (headers, notes,
    styles, numbers) is passed over.
    """
    found: list[CaptionLine] = []
    for start, end, lines in _cues(text):
        if lines and end > start:
            found.append(CaptionLine(start, end, "\n".join(lines)))
        if len(found) == MAX_LINES:
            break
    return sorted(found, key=lambda line: (line.start, line.end))


def _cues(text: str) -> Iterator[tuple[float, float, list[str]]]:
    start = end = 0.0
    lines: list[str] | None = None
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if match := _TIMING.match(line):
            if lines is not None:
                # Without an empty line between captions, the next one's number is in this one.
                has_number = bool(lines) and _COUNTER.fullmatch(lines[-1])
                yield start, end, lines[:-1] if has_number else lines
            start, end, lines = _seconds(*match.groups()[:4]), _seconds(*match.groups()[4:]), []
        elif lines is not None:
            # A line with a space in it is no empty one: it is what rolls out of the screen.
            if line and len(lines) < _MAX_CUE:
                lines.append(line)
            elif not line:
                yield start, end, lines
                lines = None
    if lines is not None:
        yield start, end, lines


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str) -> float:
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return (whole * 1000 + int(fraction.ljust(3, "0"))) / 1000

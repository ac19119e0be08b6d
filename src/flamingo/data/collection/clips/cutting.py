"""From lines with times to clips: lines are put together until there is enough to see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flamingo.data.collection.clips.lines import CaptionLine, Clip
from flamingo.data.collection.clips.settings import ClipSettings
from flamingo.data.collection.made_samples import Refused, refused

_ENDS = (".", "?", "!", "…", '."', '?"', '!"', ".”", "?”", "!”")
_MOST_LINES = 200
"""Lines of a clip at most: a hundred voices may speak in one second of a file."""


def cut_clips(lines: Sequence[CaptionLine], settings: ClipSettings) -> Iterator[Clip | Refused]:
    """Clips in order of their times, and what is too short or too long for one.

    A pause of `max_gap` ends a clip. Between two pauses, a clip ends behind a sentence, at the one
    where its length comes nearest to `seconds`; where no sentence ends, behind the line that the
    longest pause follows.

    Args:
        lines: cleaned, in order of their times.
        settings: see there.
    """
    covered = float("-inf")
    for first, behind in _runs(lines, settings):
        while first < behind:
            count = _count(lines, first, behind, settings)
            clip = _clip(lines[first : first + count], covered, settings)
            first += count
            if isinstance(clip, Clip) and clip.end is not None:
                covered = max(covered, clip.end)
            yield clip


def _runs(lines: Sequence[CaptionLine], settings: ClipSettings) -> Iterator[tuple[int, int]]:
    """Where lines without a long pause between them begin, and where they end."""
    first, end = 0, float("-inf")
    for number, line in enumerate(lines):
        if number > first and line.start - end >= settings.max_gap:
            yield first, number
            first, end = number, float("-inf")
        end = max(end, line.end)
    if first < len(lines):
        yield first, len(lines)


def _count(lines: Sequence[CaptionLine], first: int, behind: int, settings: ClipSettings) -> int:
    """How many lines the clip has that begins with line `first`; at least one."""
    fitting: list[tuple[int, float]] = []
    start, end = lines[first].start, float("-inf")
    for number in range(first, min(behind, first + _MOST_LINES)):
        end = max(end, lines[number].end)
        if end - start > settings.max_seconds:
            break
        fitting.append((number + 1 - first, end - start))
    else:
        return len(fitting)
    choices = [choice for choice in fitting if choice[1] >= settings.min_seconds]
    if not choices:
        # The next line alone makes it too long: what is before it is too short, or it is first.
        return max(1, len(fitting))
    ended = [one for one in choices if lines[first + one[0] - 1].text.endswith(_ENDS)]

    def distance(choice: tuple[int, float]) -> float:
        return abs(choice[1] - settings.seconds)

    if ended:
        return min(ended, key=distance)[0]

    def pause(choice: tuple[int, float]) -> float:
        line, following = lines[first + choice[0] - 1], lines[first + choice[0]]
        # In hundredths: times of recognized speech are no more exact.
        return round(max(0.0, following.start - line.end), 2)

    return min(choices, key=lambda choice: (-pause(choice), distance(choice)))[0]


def _clip(lines: Sequence[CaptionLine], covered: float, settings: ClipSettings) -> Clip | Refused:
    start, end = lines[0].start, max(line.end for line in lines)
    text = " ".join(line.text for line in lines)
    if end - start < settings.min_seconds:
        reason = f"{end - start:.1f} s, at least {settings.min_seconds:g}"
        return refused("clip-length", reason, text)
    if end - start > settings.max_seconds:
        reason = f"{end - start:.1f} s, at most {settings.max_seconds:g}"
        return refused("clip-length", reason, text)
    if covered - start > (end - start) / 2:
        # Captions in two languages in one file, or of a hundred voices at once.
        return refused("clip-length", "more than half of it is in clips before it", text)
    return Clip(start, end, text)

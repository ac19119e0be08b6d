"""Which frames of a video to look at."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from flamingo.foundation.errors import ConfigError, MediaError

REST = 0.05
"""A rest of a video that is shorter than this share of an interval brings no frame of its own."""
ROUNDING = 1e-3
"""Seconds by which containers round the times of frames."""


@dataclass(frozen=True)
class Sampling:
    """One frame per interval from the beginning on, or a fixed number of them evenly spaced.

    Args:
        fps: frames per second of the video's own time.
        num_frames: how many frames, whatever the duration; replaces `fps`.
        max_frames: where `fps` gives more, this many are taken, evenly spaced.
        start_share: instead of thinning what is longer than `max_frames` at `fps`, take a
            stretch of it at this rate: from the beginning (0) to as late as possible (1).
        start: where to begin, in seconds after the first frame; what comes before is not seen,
            and all other settings are about the stretch from here to `end`.
        end: where to stop, in seconds after the first frame; a video that ends before is taken
            to its end, because annotated times are rounded.

    Raises:
        ConfigError: one of them is not positive, `start_share` is not a share, or nothing lies
            between `start` and `end`.

    Paper: App. A.3 (8 frames at 1 per second to train, 30 at 3 per second to evaluate).
    """

    fps: int | float = 1.0
    num_frames: int | None = None
    max_frames: int = 32
    start_share: float | None = None
    start: int | float | None = None
    end: int | float | None = None

    def __post_init__(self) -> None:
        for name in ("fps", "num_frames", "max_frames"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ConfigError(f"{name}={value} is impossible.\nIt must be above 0.")
        if self.start_share is not None and not 0 <= self.start_share <= 1:
            raise ConfigError(
                f"start_share={self.start_share} is not a share.\nIt must lie between 0 and 1."
            )
        start, end = self.start or 0.0, math.inf if self.end is None else self.end
        if not (0 <= start < end and math.isfinite(start)) or self.end == math.inf:
            raise ConfigError(
                f"the stretch from start={self.start} to end={self.end} is impossible.\n"
                "Both are seconds of the video; start is at least 0, and end is later."
            )

    def choose(self, starts: Sequence[float], end: float) -> list[int]:
        """The frames to take, by position; one may be taken several times.

        Args:
            starts: when each frame begins to be shown, in seconds, rising; at least one.
            end: when the last frame ceases to be shown.

        Raises:
            MediaError: the video ends before `start`.
        """
        times = self._times(*self._stretch(starts[0], max(end, starts[-1])))
        return [max(0, bisect_right(starts, time + ROUNDING) - 1) for time in times]

    def _stretch(self, first: float, last: float) -> tuple[float, float]:
        """The part of the video between two times that is to be seen."""
        if self.start and first + self.start >= last:
            raise MediaError(
                f"the stretch begins {self.start:g} s after the first frame, but the video has "
                f"only {last - first:g} s.\nCheck the times, and whether the video is complete."
            )
        end = last if self.end is None else min(last, first + self.end)
        return first + (self.start or 0.0), end

    def _times(self, start: float, end: float) -> list[float]:
        duration = end - start
        count = self.num_frames
        if count is None:
            at_this_rate = max(1, math.ceil(duration * self.fps - REST))
            if at_this_rate <= self.max_frames:
                return [start + position / self.fps for position in range(at_this_rate)]
            count = self.max_frames
            if self.start_share is not None:
                start += max(0.0, duration - count / self.fps) * self.start_share
                return [start + position / self.fps for position in range(count)]
        return [start + duration * (position + 0.5) / count for position in range(count)]

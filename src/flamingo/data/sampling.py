"""Which frames of a video to look at."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from flamingo.foundation.errors import ConfigError

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

    Raises:
        ConfigError: one of them is not positive, or `start_share` is not a share.

    Paper: App. A.3 (8 frames at 1 per second to train, 30 at 3 per second to evaluate).
    """

    fps: int | float = 1.0
    num_frames: int | None = None
    max_frames: int = 32
    start_share: float | None = None

    def __post_init__(self) -> None:
        for name in ("fps", "num_frames", "max_frames"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise ConfigError(f"{name}={value} is impossible.\nIt must be above 0.")
        if self.start_share is not None and not 0 <= self.start_share <= 1:
            raise ConfigError(
                f"start_share={self.start_share} is not a share.\nIt must lie between 0 and 1."
            )

    def choose(self, starts: Sequence[float], end: float) -> list[int]:
        """The frames to take, by position; one may be taken several times.

        Args:
            starts: when each frame begins to be shown, in seconds, rising; at least one.
            end: when the last frame ceases to be shown.
        """
        times = self._times(starts[0], max(end, starts[-1]))
        return [max(0, bisect_right(starts, time + ROUNDING) - 1) for time in times]

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

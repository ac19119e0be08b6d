"""What is said in a video, and when; and the stretches that it is cut into."""

from __future__ import annotations

from dataclasses import dataclass

MAX_LINES = 100_000
"""Lines of one video at most: ten hours of captions have about 20,000."""


@dataclass(frozen=True)
class CaptionLine:
    """Some words that are shown or said together.

    Attributes:
        start: in seconds.
        end: in seconds, not before `start`.
        text: may have several lines, as a caption on a screen has.
    """

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Clip:
    """A stretch of a video and what is said in it.

    Attributes:
        start: in seconds after the first frame.
        end: in seconds; None for the whole video, however long it is.
        text: all of it, on one line.
    """

    start: float
    end: float | None
    text: str

    @property
    def is_whole(self) -> bool:
        """Whether it is all of a video."""
        return self.end is None

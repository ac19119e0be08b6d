"""What the decoding of a file may cost, where others chose the file."""

from __future__ import annotations

import io
import math
import time
from dataclasses import dataclass

from flamingo.foundation.errors import MediaError

_MOST_READ = 16
"""Times that all of a file may be read where reading it again is bounded."""
_READ_ANYWAY = 2**20


class OverBounds(MediaError):  # noqa: N818 (what it is, not what happened)
    """A file is sound perhaps, but asks for more than it may have."""


class Deadline:
    """When decoding must be done; another thread may end it sooner.

    Args:
        seconds: from now on.
    """

    def __init__(self, seconds: int | float) -> None:
        self.seconds = seconds
        self.is_cut = False
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        """Lets pass who comes in time.

        Raises:
            OverBounds: the time is over.
        """
        if self.is_cut or time.monotonic() >= self._end:
            raise OverBounds(
                f"decoding takes longer than {self.seconds:g} s.\n"
                "Send smaller pictures, shorter clips, or fewer of them."
            )

    def restart(self) -> None:
        """Counts the seconds from now on."""
        self._end = time.monotonic() + self.seconds

    def cut(self) -> None:
        """Ends what still runs, or is yet to begin, at its next check."""
        self.is_cut = True


@dataclass(frozen=True)
class Bounds:
    """Bounds that hold beside those of every file; each is checked before the work it bounds.

    Args:
        pixels: of one picture, or of one frame as it is stored.
        side: of one picture, in pixels.
        stored_frames: that a clip or an animation has in its file.
        unpacked_pixels: of all stored frames of an animation, which are all decoded.
        shown_pixels: of all frames that are looked at, in the size in which they are kept.
        deadline: when all must be done.
    """

    pixels: int | float = math.inf
    side: int | float = math.inf
    stored_frames: int | float = math.inf
    unpacked_pixels: int | float = math.inf
    shown_pixels: int | float = math.inf
    deadline: Deadline | None = None

    def check_stored_size(self, width: int, height: int) -> None:
        """Refuses pictures that are too large, before any of their pixels exists.

        Raises:
            OverBounds: too many pixels, or a side is too long.
        """
        if width * height > self.pixels:
            raise OverBounds(
                f"{width}x{height} = {width * height:,} pixels are more than the limit of "
                f"{self.pixels:,}.\nMake the picture smaller first."
            )
        if max(width, height) > self.side:
            raise OverBounds(
                f"{width}x{height} has a side longer than {self.side:,} pixels.\n"
                "Cut out what matters first."
            )

    def check_stored_frames(self, num_frames: int) -> None:
        """Refuses what has too many frames, looked at or not.

        Raises:
            OverBounds: it has.
        """
        if num_frames > self.stored_frames:
            raise OverBounds(
                f"the file has more than {self.stored_frames:,} frames, the limit.\n"
                "Cut out the stretch that matters."
            )

    def check_unpacked(self, num_frames: int, width: int, height: int) -> None:
        """Refuses animations that are much larger decoded than shown.

        Raises:
            OverBounds: their frames have too many pixels in sum.
        """
        self._check_sum(num_frames, width, height, self.unpacked_pixels, "unpack to")

    def check_shown(self, num_frames: int, width: int, height: int) -> None:
        """Refuses more than may still be shown.

        Raises:
            OverBounds: these frames have more pixels than that.
        """
        self._check_sum(num_frames, width, height, self.shown_pixels, "show")

    def check_time(self) -> None:
        """Lets pass who comes in time.

        Raises:
            OverBounds: the time is over.
        """
        if self.deadline is not None:
            self.deadline.check()

    def opened(self, content: bytes) -> io.BytesIO:
        """The bytes as a file, watched if there is a deadline."""
        if self.deadline is None:
            return io.BytesIO(content)
        return WatchedFile(content, self.deadline)

    def _check_sum(
        self, num_frames: int, width: int, height: int, limit: int | float, verb: str
    ) -> None:
        total = num_frames * width * height
        if total > limit:
            times = "" if num_frames == 1 else f"{num_frames:,} frames of "
            raise OverBounds(
                f"{times}{width}x{height} pixels {verb} {total:,}, more than the {limit:,} that "
                "are left to this request.\nSend smaller pictures, fewer frames, or fewer visuals."
            )


UNBOUNDED = Bounds()
"""For files that their owner reads."""


class WatchedFile(io.BytesIO):
    """A file in memory whose every reading is a moment at which decoding may end.

    Args:
        content: of the file.
        deadline: when all of it must have been read.
    """

    def __init__(self, content: bytes, deadline: Deadline) -> None:
        super().__init__(content)
        self._deadline = deadline
        self._num_bytes = len(content)
        self._left = math.inf

    def limit_rereading(self) -> None:
        """From here on the file may be gone through some times only.

        For formats in which a small file can name the same bytes again and again, each time for a
        copy of them. Readers of clips and animations go forth and back, and read ahead.
        """
        self._left = _MOST_READ * self._num_bytes + _READ_ANYWAY

    def read(self, size: int | None = -1, /) -> bytes:
        """As of any file.

        Raises:
            OverBounds: the time is over, or too much was read already.
        """
        self._deadline.check()
        block = super().read(size)
        self._left -= len(block)
        if self._left < 0:
            raise OverBounds(
                f"parts of the file are read more than {_MOST_READ} times over.\n"
                "It is damaged, or made to cost work. Save it anew."
            )
        return block

"""The frames of many clips of one video, which is decoded once, from its beginning."""

from __future__ import annotations

import io
import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

from flamingo.data.collection.clips.lines import Clip
from flamingo.data.frames import container_of, opened_video, shown_pixels
from flamingo.data.sampling import REST, ROUNDING
from flamingo.foundation.errors import MediaError

MAX_PIXELS_DECODED = 10**12
"""Of all frames of a video: over four hours of 1920 x 1080 pixels at 30 frames per second."""
MAX_DAMAGED = 1000
"""Packets that cannot be decoded: a video that has more is given up."""


@dataclass
class ClipFrames:
    """The frames of one clip.

    Attributes:
        number: of the clip.
        pictures: JPEG files of the frames, in order.
        width: of each of them.
        height: the same.
        num_damaged: frames that should be there, and could not be decoded.
        num_missing: frames that should be there, but the video ended.
    """

    number: int
    pictures: list[bytes] = field(default_factory=list, repr=False)
    width: int = 0
    height: int = 0
    num_damaged: int = 0
    num_missing: int = 0


@dataclass(frozen=True)
class _Wanted:
    """A frame that one clip wants.

    Attributes:
        time: at which it is shown, in seconds after the first frame.
        clip: number of the clip.
        is_last: whether the clip wants no more.
        is_first: whether it is the clip's first.
    """

    time: float
    clip: int
    is_last: bool
    is_first: bool


def times_of(clip: Clip, fps: float, max_whole_seconds: float) -> list[float]:
    """When the frames of a clip are shown: one per interval, as trainings sample them.

    Of a whole video they go one interval beyond `max_whole_seconds`, so that a longer one shows.
    """
    end = max_whole_seconds + 1 / fps if clip.end is None else clip.end
    count = max(1, math.ceil((end - clip.start) * fps - REST))
    return [clip.start + number / fps for number in range(count)]


def clip_frames(
    source: Path | bytes,
    clips: Sequence[Clip],
    *,
    fps: float,
    longest_side: int,
    quality: int,
    max_whole_seconds: float,
) -> Iterator[ClipFrames]:
    """The frames of each clip, in the order in which the clips are complete.

    What is held at a time is one decoded frame, and the JPEG pictures of clips that are not yet
    complete. A packet that cannot be decoded costs only the frames that would have come from it.

    Args:
        source: the video: a file, or its bytes.
        clips: stretches of it; they may overlap.
        fps: frames per second that are taken.
        longest_side: of a picture, in pixels.
        quality: of the JPEG pictures.
        max_whole_seconds: see `times_of`.

    Raises:
        MediaError: the file is no video, or too large, or nothing of it can be decoded.
    """
    wanted = _in_order([times_of(clip, fps, max_whole_seconds) for clip in clips])
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as file:
        container = container_of(file.read(16))
        if container is None:
            raise MediaError("this is no video that can be read here: MP4, MOV, WebM, MKV, AVI.")
        with opened_video(file, container) as (opened, stream):
            stream.codec_context.thread_count = 1
            pictures = _Pictures(stream, longest_side, quality)
            yield from _Collected(len(clips), pictures, REST / fps).of(
                _shown(opened, stream), wanted
            )


def _in_order(times: Sequence[Sequence[float]]) -> deque[_Wanted]:
    return deque(
        sorted(
            (
                _Wanted(time, clip, number == len(of_clip) - 1, number == 0)
                for clip, of_clip in enumerate(times)
                for number, time in enumerate(of_clip)
            ),
            key=lambda one: (one.time, one.clip),
        )
    )


class _Collected:
    """Hands the frames out to the clips that want them.

    Args:
        num_clips: how many there are.
        pictures: makes JPEG pictures of frames.
        rest: seconds at the end of a video that bring no frame of their own.
    """

    def __init__(self, num_clips: int, pictures: _Pictures, rest: float) -> None:
        self.clips: dict[int, ClipFrames] = {n: ClipFrames(n) for n in range(num_clips)}
        self.pictures, self.rest = pictures, rest

    def of(
        self, shown: Iterator[tuple[float, Any] | None], wanted: deque[_Wanted]
    ) -> Iterator[ClipFrames]:
        """Each clip, once it has all that it wants.

        Args:
            shown: each frame with the time from which it is shown; None for a damaged place.
            wanted: in order of time.
        """
        held: Any = None
        is_damaged = False
        for event in shown:
            if event is None:
                is_damaged = True
                continue
            time, frame = event
            while wanted and wanted[0].time + ROUNDING < time:
                # What was shown at this time is the frame before, unless one is lost in between.
                yield from self._give(wanted.popleft(), None if is_damaged else held)
            if not wanted:
                return
            held, is_damaged = frame, False
            end = time + self.pictures.seconds_of(frame)
        if held is None and not is_damaged:
            raise MediaError("the video has 0 frames.\nSave it anew.")
        for one in wanted:
            if is_damaged:
                yield from self._give(one, None)
            elif one.time < end - self.rest or (one.is_first and one.time < end):
                yield from self._give(one, held)
            else:
                self.clips[one.clip].num_missing += 1
                yield from self._finished(one)

    def _give(self, wanted: _Wanted, frame: Any) -> Iterator[ClipFrames]:
        clip = self.clips[wanted.clip]
        if frame is None:
            clip.num_damaged += 1
        else:
            clip.pictures.append(self.pictures.of(frame))
            clip.width, clip.height = self.pictures.size
        yield from self._finished(wanted)

    def _finished(self, wanted: _Wanted) -> Iterator[ClipFrames]:
        if wanted.is_last:
            yield self.clips.pop(wanted.clip)


class _Pictures:
    """JPEG pictures of frames, all of one size.

    Args:
        stream: that the frames are of.
        longest_side: in pixels.
        quality: of the JPEG files.
    """

    def __init__(self, stream: Any, longest_side: int, quality: int) -> None:
        self.stream, self.longest_side, self.quality = stream, longest_side, quality
        self.size = (0, 0)
        self.frame: Any = None
        self.picture = b""

    def of(self, frame: Any) -> bytes:
        """The picture of a frame; several clips may want the same one after the other."""
        if frame is not self.frame:
            self.frame = frame
            self.picture = self._jpeg(shown_pixels(frame, self.stream, self.longest_side))
        return self.picture

    def seconds_of(self, frame: Any) -> float:
        """How long a frame is shown, if nothing comes after it."""
        if frame.duration and frame.time_base:
            return float(frame.duration * frame.time_base)
        return float(1 / (self.stream.average_rate or 25))

    def _jpeg(self, pixels: npt.NDArray[np.uint8]) -> bytes:
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        if self.size == (0, 0):
            self.size = picture.size
        if picture.size != self.size:
            # The resolution changes midway.
            picture = picture.resize(self.size)
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=self.quality, subsampling="4:2:0")
        return buffer.getvalue()


def _shown(opened: Any, stream: Any) -> Iterator[tuple[float, Any] | None]:
    """Each frame with the time from which it is shown, after the first one; None for damage."""
    first: float | None = None
    if stream.start_time is not None:
        # The first frame that can be decoded is not always the first one that there is.
        first = float(stream.start_time * stream.time_base)
    latest, num_pixels = 0.0, 0
    for number, frame in enumerate(_decoded(opened, stream)):
        if frame is None or frame.is_corrupt:
            yield None
            continue
        num_pixels += frame.width * frame.height
        if num_pixels > MAX_PIXELS_DECODED:
            raise MediaError(f"its frames have more than {MAX_PIXELS_DECODED:,} pixels in all.")
        time = frame.time
        if time is None:
            time = number / float(stream.average_rate or 25)
        first = time if first is None else first
        # Damaged files may step back.
        latest = max(latest, time - first)
        yield latest, frame


def _decoded(opened: Any, stream: Any) -> Iterator[Any]:
    """Each frame; None where one or several cannot be decoded."""
    packets = opened.demux(stream)
    num_damaged = 0
    while num_damaged <= MAX_DAMAGED:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError:
            # What comes after cannot be found.
            yield None
            return
        try:
            frames = packet.decode()
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            num_damaged += 1
            yield None
            continue
        yield from frames
    yield None

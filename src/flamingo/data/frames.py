"""Frames of a video file, decoded from the last key frame on; only what is looked at is kept."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from flamingo.data.bounds import UNBOUNDED, Bounds
from flamingo.data.pictures import MAX_PIXELS, MAX_VIDEO_SIDE, check_size
from flamingo.data.sampling import Sampling
from flamingo.foundation.errors import MediaError
from flamingo.sequence import Visual

_STAMPED = ("mov", "matroska")
"""Containers that store when each frame is shown, so that a place in them can be found again."""
_NO_FRAMES = "the video has 0 frames.\nA visual needs at least one frame to look at. Save it anew."


@dataclass(frozen=True)
class _Timeline:
    """When the frames of a video are shown, in units of `unit` seconds, in the order shown."""

    starts: list[int]
    end: int
    unit: Fraction
    has_stamps: bool


def container_of(head: bytes) -> str | None:
    """The kind of video file that begins like this; none if it is none of those read here."""
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "matroska"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    is_still = head[8:12] in (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1")
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free") and not is_still:
        return "mov"
    return None


def read_video(
    file: io.BufferedIOBase, container: str, sampling: Sampling, bounds: Bounds = UNBOUNDED
) -> Visual:
    """The frames of a video that `sampling` asks for.

    Frames larger than `MAX_VIDEO_SIDE` are made smaller, so that memory stays bounded.

    Args:
        file: an open, seekable file.
        container: its kind, from `container_of`; nothing else is tried.
        sampling: which frames.
        bounds: that hold beside those of every video.

    Raises:
        MediaError: PyAV is not installed, or the file is damaged, empty or too large, or ends
            before the stretch that is asked for.
    """
    with opened_video(file, container, bounds) as (source, stream):
        seconds = sampling.end if container in _STAMPED else None
        timeline = _timeline(source, stream, seconds, bounds)
        shown_size = _shown_size(stream, MAX_VIDEO_SIDE)
    starts = [float(start * timeline.unit) for start in timeline.starts]
    chosen = sampling.choose(starts, float(timeline.end * timeline.unit))
    bounds.check_shown(len(chosen), *shown_size)
    wanted = [timeline.starts[position] for position in chosen]
    if container in _STAMPED and timeline.has_stamps and wanted[0] > timeline.starts[0]:
        with opened_video(file, container, bounds) as (source, stream):
            frames = _from_key_frame(source, stream, wanted[0], bounds)
            if frames is not None:
                return Visual.from_frames(list(_taken(frames, stream, wanted, True)))
    with opened_video(file, container, bounds) as (source, stream):
        frames = _decoded(source, stream, bounds)
        return Visual.from_frames(list(_taken(frames, stream, wanted, timeline.has_stamps)))


@contextmanager
def opened_video(
    file: io.BufferedIOBase, container: str, bounds: Bounds = UNBOUNDED
) -> Iterator[tuple[Any, Any]]:
    """The open container and its first video stream; PyAV's errors become ours.

    Raises:
        MediaError: PyAV is not installed, or there is no video, or one that is damaged or too
            large.
    """
    try:
        import av  # heavy, and optional
    except ImportError as error:
        raise MediaError(
            "reading videos needs PyAV, which is not installed.\n"
            'Install it with `pip install "flamingo-vlm[video]"`, or give the frames as arrays.'
        ) from error
    file.seek(0)
    most = {"max_pixels": str(MAX_PIXELS)}
    try:
        # Naming the format keeps ffmpeg from trying others, such as playlists that open more files.
        with av.open(file, format=container, options=most, io_open=_no_other_file) as source:
            if not source.streams.video:
                raise MediaError("the file has no video in it.\nGive a file with a video stream.")
            stream = source.streams.video[0]
            if stream.codec_context is None:
                raise MediaError("the video is of an unknown codec.\nSave it as H.264 or VP9.")
            size = (stream.codec_context.width, stream.codec_context.height)
            bounds.check_stored_size(*size)
            check_size(*size)
            stream.codec_context.options = {"max_pixels": str(int(min(MAX_PIXELS, bounds.pixels)))}
            yield source, stream
    except av.error.EOFError as error:
        raise MediaError(_NO_FRAMES) from error
    except MediaError:
        raise
    except Exception as error:  # a decoder of a damaged file may raise of any kind
        raise MediaError(
            f"the video cannot be decoded: {getattr(error, 'strerror', None) or error}.\n"
            "It is damaged, incomplete or of an unknown kind. Save it anew."
        ) from error


def _no_other_file(url: str, flags: int, options: Any) -> Any:
    raise MediaError("the video refers to another file.\nGive one that holds all of its frames.")


def _timeline(source: Any, stream: Any, seconds: int | float | None, bounds: Bounds) -> _Timeline:
    """Read from the packets alone, without decoding: headers may not tell, or tell wrongly.

    Frames that are shown more than `seconds` after the first one may be left out.
    """
    packets: list[tuple[Any, int]] = []
    latest = None if seconds is None else seconds / float(stream.time_base)
    for packet in source.demux(stream):
        bounds.check_time()
        if not packet.size or packet.is_discard:
            continue
        bounds.check_stored_frames(len(packets) + 1)
        packets.append((packet.pts, packet.duration or 0))
        if latest is None or None in (packet.dts, packet.pts, packets[0][0]):
            continue
        # A frame is decoded no later than it is shown, so what follows is shown too late.
        if min(packet.dts, packet.pts) >= packets[0][0] + latest:
            break
    if not packets:
        raise MediaError(_NO_FRAMES)
    if any(start is None for start, _ in packets):
        rate = stream.average_rate or Fraction(25)
        return _Timeline(list(range(len(packets))), len(packets), 1 / Fraction(rate), False)
    packets.sort()
    starts = [start for start, _ in packets]
    # The last frame is shown as long as it says, else as long as frames are on average.
    average = (starts[-1] - starts[0]) // max(1, len(starts) - 1)
    return _Timeline(starts, starts[-1] + (packets[-1][1] or average), stream.time_base, True)


def _decoded(source: Any, stream: Any, bounds: Bounds) -> Iterator[Any]:
    for packet in source.demux(stream):
        bounds.check_time()
        yield from packet.decode()


def _from_key_frame(source: Any, stream: Any, time: int, bounds: Bounds) -> Iterator[Any] | None:
    """The frames from a key frame on that is shown at this time or before; none if not found."""
    import av  # heavy, and optional

    # Files are searched by when frames are decoded, which is a little before they are shown.
    for earlier in (0, round(1 / stream.time_base)):
        try:
            source.seek(time - earlier, stream=stream)
            frames = _decoded(source, stream, bounds)
            first = next(frames, None)
        except av.error.FFmpegError:
            return None
        if first is None or not first.key_frame or first.pts is None or first.pts > time:
            continue
        return chain([first], frames)
    return None


def _taken(
    frames: Iterable[Any], stream: Any, wanted: list[int], has_stamps: bool
) -> Iterator[npt.NDArray[np.uint8]]:
    """The first frame at or after each wanted time; the last one where the video ends before."""
    remaining = list(reversed(wanted))
    pixels: npt.NDArray[np.uint8] | None = None
    last = None
    for position, frame in enumerate(frames):
        last, pixels = frame, None
        stamp = frame.pts if has_stamps and frame.pts is not None else position
        while remaining and stamp >= remaining[-1]:
            remaining.pop()
            pixels = shown_pixels(frame, stream) if pixels is None else pixels
            yield pixels
        if not remaining:
            return
    if last is None:
        raise MediaError(_NO_FRAMES)
    for _ in remaining:
        pixels = shown_pixels(last, stream) if pixels is None else pixels
        yield pixels


def shown_pixels(
    frame: Any, stream: Any, longest_side: int = MAX_VIDEO_SIDE
) -> npt.NDArray[np.uint8]:
    """One frame as it is meant to be shown: square pixels, upright, no side above `longest_side`.

    Raises:
        MediaError: the frame is too large.
    """
    check_size(frame.width, frame.height)
    width, height = _shown_size(stream, longest_side)
    picture = frame.to_ndarray(format="rgb24", width=width, height=height)
    return np.rot90(picture, k=round(frame.rotation / 90) % 4)


def _shown_size(stream: Any, longest_side: int) -> tuple[int, int]:
    """All frames take the size that the stream announces, even where it changes midway."""
    width, height = stream.codec_context.width, stream.codec_context.height
    shape = float(stream.sample_aspect_ratio or 1)
    if shape > 0:
        width = max(1, round(width * shape))
    scale = min(1.0, longest_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))

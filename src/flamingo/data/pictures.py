"""Pictures from files nobody has checked: size first, decoding after."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

import numpy as np
from PIL import Image

from flamingo.data.bounds import UNBOUNDED, Bounds
from flamingo.data.hostile_pictures import check_loaded, check_opened, check_unopened
from flamingo.data.sampling import Sampling
from flamingo.foundation.errors import MediaError
from flamingo.sequence import Visual

MAX_PIXELS = 50_000_000
"""A larger picture is refused: a small file may unpack to more than memory holds."""
MAX_VIDEO_SIDE = 1024
"""Frames of a video are made smaller than this; vision encoders look at 480 pixels at most."""

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF", "PPM", "JPEG2000")
"""Formats that Pillow decodes itself; others would start programs or are rare."""
ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
"""Formats in which several pictures are a video and not pages or sizes of one picture."""


def open_picture(file: io.BufferedIOBase, bounds: Bounds = UNBOUNDED) -> Image.Image | None:
    """The picture in a file, its header read and its size checked; none if it is no picture.

    Args:
        file: an open, seekable file.
        bounds: that hold beside `MAX_PIXELS`.

    Raises:
        MediaError: the picture is too large, or its header is damaged.
    """
    file.seek(0)
    prefix = file.read(16)
    Image.init()
    for name in FORMATS:
        factory, accept = Image.OPEN.get(name, (None, None))
        verdict = factory is not None and (accept is None or accept(prefix))
        # A verdict that is a string says that Pillow was built without this format.
        if factory is None or not verdict or isinstance(verdict, str):
            continue
        with errors_as_ours(f"the {name} picture"):
            check_unopened(name, file, bounds)
            file.seek(0)
            # Not `Image.open`: it has a limit of its own, which warns, and hides the size.
            picture = factory(cast(IO[bytes], file), "")
        check_opened(picture, bounds)
        check_size(*picture.size)
        return picture
    return None


def load_within(picture: Image.Image, bounds: Bounds) -> None:
    """Decodes a still picture, so that no other reads of it what is too large.

    Raises:
        MediaError: it is damaged, or over its bounds.
    """
    if bounds is UNBOUNDED:
        return
    bounds.check_shown(1, *picture.size)
    with errors_as_ours("the picture"):
        picture.load()
    check_loaded(picture)


def check_size(width: int, height: int) -> None:
    """Refuses sizes that a picture of a camera does not have.

    Raises:
        MediaError: there are more than `MAX_PIXELS`.
    """
    if width * height > MAX_PIXELS:
        raise MediaError(
            f"{width}x{height} = {width * height:,} pixels are more than the limit of "
            f"{MAX_PIXELS:,}.\nA small file may unpack to more than memory holds, so it was not "
            "decoded. Make the picture smaller first."
        )


def is_animated(picture: Image.Image) -> bool:
    """Whether a picture is in fact a video.

    Raises:
        MediaError: the file is damaged.
    """
    with errors_as_ours("the picture"):
        return picture.format in ANIMATED and getattr(picture, "n_frames", 1) > 1


def read_animation(picture: Image.Image, sampling: Sampling, bounds: Bounds = UNBOUNDED) -> Visual:
    """The frames of an animated picture that `sampling` asks for.

    Raises:
        MediaError: the file is damaged, or over its bounds.
    """
    with errors_as_ours("the animation"):
        num_frames = getattr(picture, "n_frames", 1)
        bounds.check_stored_frames(num_frames)
        bounds.check_unpacked(num_frames, *picture.size)
        starts, end = _starts_and_end(picture, bounds)
        if bounds is not UNBOUNDED:
            check_loaded(picture)
        chosen = sampling.choose(starts, end)
        scale = min(1.0, MAX_VIDEO_SIDE / max(picture.size))
        bounds.check_shown(len(chosen), *(round(side * scale) for side in picture.size))
        frames = []
        for position in chosen:
            bounds.check_time()
            picture.seek(position)
            frames.append(_small(Visual.from_image(picture)))
    return Visual.from_frames(frames)


def _starts_and_end(picture: Image.Image, bounds: Bounds) -> tuple[list[float], float]:
    """When each frame begins to be shown, and when the last one ends, in seconds."""
    starts, end = [], 0.0
    for position in range(getattr(picture, "n_frames", 1)):
        bounds.check_time()
        picture.seek(position)
        bounds.check_stored_size(*picture.size)
        picture.load()
        starts.append(end)
        # Viewers show a frame without a duration for a tenth of a second.
        end += (picture.info.get("duration") or 100) / 1000
    return starts, end


@contextmanager
def errors_as_ours(what: str) -> Iterator[None]:
    """Turns what a decoder raises into our error about `what`."""
    try:
        yield
    except MediaError:
        raise
    except Exception as error:  # a decoder of a damaged file may raise of any kind
        raise MediaError(
            f"{what} cannot be decoded: {error}.\nIt is damaged or incomplete. Save it anew."
        ) from error


def _small(frame: Visual) -> np.ndarray:
    if max(frame.width, frame.height) <= MAX_VIDEO_SIDE:
        return frame.frames[0]
    picture = Image.fromarray(frame.frames[0])
    picture.thumbnail((MAX_VIDEO_SIDE, MAX_VIDEO_SIDE))
    return np.asarray(picture)

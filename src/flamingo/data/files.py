"""One door for everything that can be looked at: files, bytes, pictures, arrays."""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from flamingo.data.bounds import UNBOUNDED, Bounds
from flamingo.data.frames import container_of, read_video
from flamingo.data.pictures import (
    FORMATS,
    check_size,
    is_animated,
    load_within,
    open_picture,
    read_animation,
)
from flamingo.data.readings import PictureReader, upright
from flamingo.data.sampling import Sampling
from flamingo.foundation.errors import MediaError
from flamingo.sequence import Visual

VisualSource = (
    str
    | Path
    | bytes
    | Image.Image
    | npt.NDArray[Any]
    | Visual
    | Sequence[Image.Image | npt.NDArray[Any]]
)
"""A path, a `data:` URL, a file's bytes, a picture, pixels, a `Visual`, or a video's frames."""


def load_visual(
    source: VisualSource,
    *,
    num_frames: int | None = None,
    fps: int | float = 1.0,
    max_frames: int = 32,
    start_share: float | None = None,
    start: int | float | None = None,
    end: int | float | None = None,
    read_picture: PictureReader = upright,
    bounds: Bounds = UNBOUNDED,
) -> Visual:
    """Reads an image or a video; what it is shows in its content, not in its name.

    Args:
        source: a path, a `data:` URL, the bytes of a file, a Pillow picture, an array of pixels
            `[height, width, 3]` or `[frames, height, width, 3]`, a list of frames, or a visual.
        num_frames: how many frames of a video file, evenly spaced; replaces `fps`.
        fps: how many frames per second of a video file.
        max_frames: where `fps` gives more, this many are taken, evenly spaced.
        start_share: instead, this many in a row at `fps`, from the beginning of the video (0)
            to as late as possible (1).
        start: where to begin in a video file, in seconds after its first frame.
        end: where to stop in it, in seconds after its first frame; at its end if it ends before.
        read_picture: makes the pixels of a still picture, see `picture_reader`; a model has its
            own, which `FlamingoImageProcessor.load` takes.
        bounds: what reading bytes may cost, if others chose them.

    Raises:
        MediaError: the file is missing, damaged, empty, too large, or of an unknown kind, or
            ends before `start`; `OverBounds` if it is over `bounds`.
        ConfigError: a setting is impossible.
    """
    if isinstance(source, Visual):
        return source
    if isinstance(source, np.ndarray):
        return Visual.from_frames(source) if source.ndim == 4 else Visual.from_image(source)
    sampling = Sampling(fps, num_frames, max_frames, start_share, start, end)
    if isinstance(source, Image.Image):
        return _of_picture(source, sampling, read_picture, bounds, is_file=False)
    if isinstance(source, str | Path | bytes):
        return _of_file(source, sampling, read_picture, bounds)
    if isinstance(source, list | tuple):
        return Visual.from_frames(source)
    raise MediaError(
        f"a {type(source).__name__} cannot be looked at.\n"
        "Give a path, the bytes of a file, a Pillow picture, or an array of pixels."
    )


def _of_file(
    source: str | Path | bytes, sampling: Sampling, read_picture: PictureReader, bounds: Bounds
) -> Visual:
    name = _name(source)
    try:
        with _opened(source, bounds) as file:
            return _read(file, sampling, read_picture, bounds)
    except MediaError as error:
        raise type(error)(f"{name}: {error}") from error


def _read(
    file: io.BufferedIOBase, sampling: Sampling, read_picture: PictureReader, bounds: Bounds
) -> Visual:
    head = file.read(16)
    if not head:
        raise MediaError("the file is empty.\nA picture or a video was expected.")
    container = container_of(head)
    if container is not None:
        return read_video(file, container, sampling, bounds)
    picture = open_picture(file, bounds)
    if picture is None:
        raise MediaError(
            "this is neither a picture nor a video that can be read here.\n"
            f"Pictures: {', '.join(FORMATS)}. Videos: MP4, MOV, WebM, MKV, AVI."
        )
    return _of_picture(picture, sampling, read_picture, bounds, is_file=True)


def _of_picture(
    picture: Image.Image,
    sampling: Sampling,
    read_picture: PictureReader,
    bounds: Bounds,
    *,
    is_file: bool,
) -> Visual:
    check_size(*picture.size)
    if is_animated(picture):
        return read_animation(picture, sampling, bounds)
    load_within(picture, bounds)
    return read_picture(picture, is_file)


@contextmanager
def _opened(source: str | Path | bytes, bounds: Bounds) -> Iterator[io.BufferedIOBase]:
    if isinstance(source, bytes):
        yield bounds.opened(source)
        return
    if isinstance(source, str) and source.startswith("data:"):
        yield io.BytesIO(_bytes_of_url(source))
        return
    if isinstance(source, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", source):
        raise MediaError("addresses are not fetched.\nDownload the file first and give its path.")
    path = Path(source).expanduser()
    _check_path(path)
    try:
        file = path.open("rb")
    except OSError as error:
        raise MediaError(f"the file cannot be opened: {error.strerror}.\nCheck it.") from error
    with file:
        yield file


def _check_path(path: Path) -> None:
    try:
        if path.is_file():
            return
        kind = "a folder" if path.is_dir() else "not a regular file"
        exists = path.exists()
    except (OSError, ValueError) as error:
        raise MediaError(f"this is not a path: {error}.\nGive the path of a file.") from error
    if exists:
        raise MediaError(f"this is {kind}.\nGive the path of a picture or a video.")
    raise MediaError(
        "there is no such file.\n"
        f"Relative paths start at the current folder, {Path.cwd()}. Check the spelling."
    )


def _bytes_of_url(url: str) -> bytes:
    kind, _, content = url.partition(",")
    if not kind.endswith(";base64"):
        raise MediaError("only `data:` URLs in base64 are read.\nWrite data:image/png;base64,…")
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MediaError(f"the base64 text is damaged: {error}.\nEncode the file anew.") from error


def _name(source: str | Path | bytes) -> str:
    if isinstance(source, bytes):
        return f"({len(source):,} bytes)"
    text = str(source)
    return text if len(text) <= 200 and not text.startswith("data:") else text[:40] + "…"

"""Small videos and pictures, written here."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image


def gray(value: int, width: int = 64, height: int = 48) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def write_video(
    path: Path,
    values: Sequence[int],
    *,
    fps: int = 8,
    codec: str = "mpeg4",
    stamps: Sequence[float] | None = None,
    size: tuple[int, int] = (64, 48),
) -> Path:
    """A video whose frame i has the gray `values[i]`, shown from `stamps[i]` seconds on."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000 if stamps else fps)
        for position, value in enumerate(values):
            frame = av.VideoFrame.from_ndarray(gray(value, *size), format="rgb24")
            frame.time_base = stream.codec_context.time_base
            frame.pts = round(stamps[position] * 1000) if stamps else position
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_empty_video(path: Path) -> Path:
    """A Matroska file with a video stream that has no frame."""
    model = write_video(path.with_suffix(".mp4"), [0, 50, 100])
    with av.open(str(model)) as source, av.open(str(path), "w") as target:
        target.add_stream_from_template(source.streams.video[0])
        target.start_encoding()
    return path


def write_gif(path: Path, values: Sequence[int], milliseconds: int | list[int]) -> Path:
    first, *others = [Image.fromarray(gray(value)) for value in values]
    first.save(path, save_all=True, append_images=others, duration=milliseconds, loop=0)
    return path


def jpeg_bytes(width: int = 64, height: int = 48) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()

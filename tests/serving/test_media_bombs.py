from __future__ import annotations

import io
import resource
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flamingo.foundation.errors import MediaError
from flamingo.serving.errors import TooLarge
from flamingo.serving.limits import Limits
from tests.data.media_for_tests import write_video

from .hostile_files import (
    chunk,
    gif_of,
    jpeg_of_scans,
    overlapping_notes,
    png,
    tiff_with_tile,
)
from .media_reading import read

MOST_BYTES = 120_000_000
MOST_SECONDS = 3.0


@pytest.fixture(autouse=True)
def little_memory_and_time() -> Iterator[None]:
    """No file of this module may cost much, whatever comes of it."""
    begin, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (after - before) * 1024 < MOST_BYTES
    assert time.process_time() - begin < MOST_SECONDS


@pytest.mark.parametrize("size", [(60_000, 60_000), (65_536, 1), (1, 65_536), (2**31 - 1, 1)])
def test_a_header_that_is_too_large(size: tuple[int, int]) -> None:
    with pytest.raises(TooLarge, match=r"limit|side"):
        read(png(size=size))


@pytest.mark.parametrize("kind", ["BMP", "GIF", "PPM", "WEBP", "JPEG"])
def test_headers_of_other_formats(kind: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, kind)
    content = bytearray(buffer.getvalue())
    if kind == "BMP":
        content[18:26] = struct.pack("<ii", 40_000, 40_000)
    elif kind == "GIF":
        content = bytearray(gif_of(1, (60_000, 60_000), (1, 1)))
    elif kind == "PPM":
        content = bytearray(b"P6 40000 40000 255\n")
    elif kind == "WEBP":
        flags = struct.pack("<I", 0)
        size = struct.pack("<I", 16_000)[:3] * 2
        body = b"WEBPVP8X" + struct.pack("<I", 10) + flags + size + bytes(content[12:])
        content = bytearray(b"RIFF" + struct.pack("<I", len(body)) + body)
    else:
        place = content.find(b"\xff\xc0")
        content[place + 5 : place + 9] = struct.pack(">HH", 65_000, 65_000)
    with pytest.raises((TooLarge, MediaError)):
        read(bytes(content))


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP", b"zTXt behind the pixels"])
def test_chunks_that_unpack_to_much(kind: bytes) -> None:
    bomb = zlib.compress(bytes(50_000_000))
    head = b"a\0\1\0\0\0" if kind == b"iTXt" else b"a\0\0"
    content = png(chunk(kind[:4], head + bomb))
    if len(kind) > 4:
        content = png()[:-12] + chunk(b"zTXt", head + bomb) + png()[-12:]
    with pytest.raises(MediaError, match="too large"):
        read(content)


def test_pixels_that_unpack_to_more_than_the_header_says() -> None:
    data = chunk(b"IDAT", zlib.compress(bytes(50_000_000)))
    assert read(png(data)).width == 4


@pytest.mark.parametrize("place", ["PNG", "TIFF", "JPEG"])
def test_notes_whose_entries_overlap(place: str) -> None:
    notes = overlapping_notes()
    if place == "TIFF":
        content = notes
    elif place == "PNG":
        content = png(chunk(b"eXIf", notes))
    else:
        buffer = io.BytesIO()
        Image.new("L", (9, 9)).save(buffer, "JPEG")
        parts = [b"Exif\0\0" + notes[at : at + 60_000] for at in range(0, len(notes), 60_000)]
        segments = [b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part for part in parts]
        content = buffer.getvalue()[:2] + b"".join(segments) + buffer.getvalue()[2:]
    with pytest.raises((TooLarge, MediaError)):
        read(content)


def test_a_tile_that_is_larger_than_its_picture() -> None:
    with pytest.raises(TooLarge, match="20000x20000"):
        read(tiff_with_tile(20_000))


def test_gifs() -> None:
    with pytest.raises(TooLarge, match="more than 20,000 frames"):
        read(gif_of(100_000, (8, 8), (8, 8)))
    with pytest.raises(TooLarge, match="13000x13000"):
        read(gif_of(1, (8, 8), (13_000, 13_000)))
    with pytest.raises(TooLarge, match="unpack to 80,000,000,000"):
        read(gif_of(4000, (5000, 4000), (1, 1)))
    # The second frame makes the canvas larger.
    grown = gif_of(1, (8, 8), (8, 8))[:-1] + gif_of(1, (8, 8), (13_000, 13_000))[19:]
    with pytest.raises(TooLarge, match="13000x13000"):
        read(grown)
    comment = b"!\xfe" + b"\1a" * 1_000_000 + b"\0;"
    with pytest.raises(TooLarge, match="blocks"):
        read(gif_of(1, (8, 8), (8, 8))[:-1] + comment)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animations_that_unpack_to_much(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (12, 400, 400), np.uint8)
    frames = [Image.fromarray(one) for one in noise]
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], duration=100)
    assert read(buffer.getvalue()).num_frames == 2
    with pytest.raises(TooLarge, match="unpack to"):
        read(buffer.getvalue(), Limits(request_pixels=90_000))
    with pytest.raises(TooLarge, match="more than 11 frames"):
        read(buffer.getvalue(), Limits(stored_frames=11))
    with pytest.raises(TooLarge, match="show"):
        read(buffer.getvalue(), Limits(request_pixels=300_000), num_frames=4)


def test_an_animation_that_claims_more_frames_than_it_has() -> None:
    frames = [Image.new("L", (8, 8), value) for value in range(3)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    content = buffer.getvalue()
    real = chunk(b"acTL", struct.pack(">II", 3, 0))
    assert real in content
    for number in (10_000, 2**31 - 1):
        with pytest.raises((TooLarge, MediaError)):
            read(content.replace(real, chunk(b"acTL", struct.pack(">II", number, 0))))


def test_scans_of_a_jpeg() -> None:
    assert read(jpeg_of_scans(20)).width == 320
    with pytest.raises(TooLarge, match="scans"):
        read(jpeg_of_scans(1000))
    with pytest.raises(TooLarge, match="segments"):
        read(jpeg_of_scans(40_000))


def test_zeros_and_noise() -> None:
    for content in (bytes(20_000_000), b"\xff" * 1_000_000, np.random.bytes(1_000_000)):
        with pytest.raises(MediaError, match="neither a picture nor a video"):
            read(content)
    for head in (b"\x1aE\xdf\xa3", b"\0\0\0\x18ftypmp42", b"RIFF\0\0\0\0AVI ", b"\xff\xd8\xff"):
        with pytest.raises((TooLarge, MediaError)):
            read(head + bytes(10_000_000))


def test_clips(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "a.mp4", [0] * 300, fps=30, size=(16, 16)).read_bytes()
    assert read(clip).num_frames == 10
    with pytest.raises(TooLarge, match="more than 299 frames"):
        read(clip, Limits(stored_frames=299))
    with pytest.raises(TooLarge, match="16x16 = 256 pixels"):
        read(clip, Limits(pixels=255))
    with pytest.raises(TooLarge, match="10 frames of 16x16"):
        read(clip, Limits(request_pixels=2559))
    assert read(clip, Limits(request_pixels=2560)).num_frames == 10


def test_a_long_timeline_of_few_frames(tmp_path: Path) -> None:
    stamps = [0.0, 1e5, 2e6]
    clip = write_video(tmp_path / "a.mkv", [0, 1, 2], fps=1000, stamps=stamps).read_bytes()
    assert read(clip).num_frames == 32
    assert read(clip, fps=1000.0, max_frames=7).num_frames == 7
    assert read(clip, num_frames=32).num_frames == 32


def test_a_clip_whose_frames_are_larger_than_it_says(tmp_path: Path) -> None:
    small = write_video(tmp_path / "a.mp4", [0, 1], fps=1, size=(16, 16)).read_bytes()
    large = write_video(tmp_path / "b.mp4", [0, 1], fps=1, size=(640, 480)).read_bytes()
    header = large.replace(struct.pack(">HH", 640, 480), struct.pack(">HH", 16, 16))
    assert header != large
    assert read(small).width == 16
    with pytest.raises((TooLarge, MediaError)):
        read(header, Limits(pixels=1000))

from __future__ import annotations

import base64
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flamingo.data.files import load_visual
from flamingo.foundation.errors import MediaError
from flamingo.sequence import Visual

from .media_for_tests import gray, jpeg_bytes, write_gif

PICTURE = Image.fromarray(gray(100))


def png_header(width: int, height: int) -> bytes:
    """A PNG of this size that holds no pixels at all."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    empty = zlib.compress(b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", empty)


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "webp", "bmp", "tiff", "ppm", "avif"])
def test_pictures_of_each_format(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    PICTURE.save(path)
    for source in (path, str(path), path.read_bytes()):
        visual = load_visual(source)
        assert not visual.is_video
        assert (visual.width, visual.height) == (64, 48)
        assert abs(float(visual.frames.mean()) - 100) < 3


def test_the_content_decides_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    PICTURE.save(path, "PNG")
    assert not load_visual(path).is_video


def test_pictures_and_arrays_in_memory() -> None:
    visual = Visual.from_image(PICTURE)
    assert load_visual(visual) is visual
    assert load_visual(PICTURE).fingerprint() == visual.fingerprint()
    assert load_visual(gray(100)).fingerprint() == visual.fingerprint()
    video = np.stack([gray(0), gray(9)])
    assert load_visual(video).fingerprint() == load_visual(list(video)).fingerprint()


def test_animations_are_videos_and_pages_are_not(tmp_path: Path) -> None:
    frames = [Image.fromarray(gray(value)) for value in (0, 100, 200)]
    for ending in ("gif", "webp", "png"):
        path = tmp_path / f"a.{ending}"
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=1000)
        assert load_visual(path).num_frames == 3
    pages = tmp_path / "a.tiff"
    frames[0].save(pages, save_all=True, append_images=frames[1:])
    assert not load_visual(pages).is_video


def test_a_gif_opened_with_pillow_is_a_video(tmp_path: Path) -> None:
    with Image.open(write_gif(tmp_path / "a.gif", [0, 100], 1000)) as picture:
        assert load_visual(picture).num_frames == 2


def test_a_picture_has_no_stretch() -> None:
    assert (
        load_visual(jpeg_bytes(), start=5.0).fingerprint()
        == load_visual(jpeg_bytes()).fingerprint()
    )


def test_a_data_url() -> None:
    text = base64.b64encode(jpeg_bytes()).decode()
    assert load_visual(f"data:image/jpeg;base64,{text}").width == 64
    with pytest.raises(MediaError, match="the base64 text is damaged"):
        load_visual("data:image/jpeg;base64,???")
    with pytest.raises(MediaError, match="only `data:` URLs in base64"):
        load_visual("data:text/plain,cat")


@pytest.mark.parametrize(
    "url", ["http://example.org/a.png", "https://example.org/a.png", "ftp://x"]
)
def test_addresses_are_not_fetched(url: str) -> None:
    with pytest.raises(MediaError, match="addresses are not fetched") as caught:
        load_visual(url)
    assert url in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"cat\.png: there is no such file"):
        load_visual(tmp_path / "cat.png")


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="this is a folder"):
        load_visual(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MediaError, match="not a regular file"):
        load_visual(tmp_path / "pipe")
    with pytest.raises(MediaError, match=r"this is not a path|there is no such file"):
        load_visual("a\0b")


@pytest.mark.parametrize(
    "content", [b"text", b"#EXTM3U\nhttp://example.org/a.ts", b"%PDF-1.7 ", b"\0" * 99]
)
def test_other_files_are_not_tried(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"cat\.png: this is neither a picture nor a video"):
        load_visual(path)


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").touch()
    with pytest.raises(MediaError, match=r"cat\.jpg: the file is empty"):
        load_visual(tmp_path / "cat.jpg")


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
def test_a_truncated_jpeg_is_named(tmp_path: Path, share: float) -> None:
    content = jpeg_bytes()
    path = tmp_path / "cat.jpg"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(MediaError, match=r"cat\.jpg: the .*picture cannot be decoded"):
        load_visual(path)


@pytest.mark.parametrize("ending", ["png", "gif", "webp", "bmp", "tiff", "avif"])
def test_a_damaged_picture_never_raises_anything_else(tmp_path: Path, ending: str) -> None:
    frames = [Image.fromarray(gray(value)) for value in (0, 100)]
    path = tmp_path / f"a.{ending}"
    frames[0].save(path, save_all=ending in ("gif", "webp", "png"), append_images=frames[1:])
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(20):
        damaged = bytearray(content[: rng.integers(12, len(content))])
        damaged[rng.integers(8, len(damaged))] = rng.integers(256)
        try:
            load_visual(bytes(damaged))
        except MediaError:
            continue


@pytest.mark.parametrize("side", [8_000, 12_000, 60_000])
def test_a_bomb_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(side, side))
    with pytest.raises(MediaError, match=r"bomb\.png: ") as caught:
        load_visual(path)
    assert f"{side}x{side} = {side * side:,} pixels are more than the limit of 50,000,000" in str(
        caught.value
    )


def test_a_large_gif_is_refused_by_its_header() -> None:
    buffer = io.BytesIO()
    PICTURE.save(buffer, "GIF")
    content = bytearray(buffer.getvalue())
    content[6:10] = struct.pack("<HH", 65535, 65535)
    with pytest.raises(MediaError, match="65535x65535"):
        load_visual(bytes(content))

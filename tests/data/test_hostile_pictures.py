from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.GifImagePlugin import GifImageFile

from flamingo.data.bounds import UNBOUNDED, Bounds, Deadline, OverBounds, WatchedFile
from flamingo.data.files import load_visual
from flamingo.data.gif_blocks import gif_frames
from flamingo.data.jpeg_segments import num_scans

from .media_for_tests import jpeg_bytes


def gif(num_frames: int, *between: bytes) -> bytes:
    """A GIF of noise, with further blocks behind its first frame."""
    noise = np.random.default_rng(0).integers(0, 256, (num_frames, 6, 6), np.uint8)
    frames = [Image.fromarray(one) for one in noise]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], comment="a comment")
    content = buffer.getvalue()
    place = content.rfind(b"!\xf9")
    return content[:place] + b"".join(between) + content[place:]


def frames_for_pillow(content: bytes) -> int:
    """How many frames Pillow goes through without unpacking them."""
    with io.BytesIO(content) as file:
        return GifImageFile(file).n_frames


@pytest.mark.parametrize("num_frames", [1, 2, 9])
def test_frames_of_a_gif(num_frames: int) -> None:
    assert list(gif_frames(gif(num_frames))) == [(6, 6)] * num_frames


@pytest.mark.parametrize(
    "block",
    [
        b"!\xfe\0",
        b"!\xfe\x01a\0",
        b"!\xf9\0\x01a\0",
        b"!\xff\0\x01a\0",
        b"\0\0\x07",
        b"!",
        b"!\xff\x0bNETSCAPE2.0\0\x01a\0",
        b"!\x01\x02ab\x01c\0",
    ],
)
def test_odd_blocks_are_taken_as_pillow_takes_them(block: bytes) -> None:
    for content in (gif(3, block), gif(3, block, block), gif(1, block)):
        assert len(list(gif_frames(content))) == frames_for_pillow(content)


@settings(max_examples=300)
@given(
    changes=st.lists(st.tuples(st.integers(13, 2000), st.integers(0, 255)), max_size=6),
    end=st.integers(0, 3000),
)
def test_damaged_gifs_have_no_frame_that_is_missed(
    changes: list[tuple[int, int]], end: int
) -> None:
    content = bytearray(gif(4, b"!\xfe\x01a\0")[: 13 + end])
    for place, value in changes:
        if place < len(content):
            content[place] = value
    try:
        num_frames = frames_for_pillow(bytes(content))
    except (SyntaxError, EOFError, IndexError, struct.error):
        assume(False)
    assert len(list(gif_frames(bytes(content)))) >= num_frames


def test_scans_of_a_jpeg() -> None:
    assert num_scans(jpeg_bytes()) == 1
    buffer = io.BytesIO()
    picture = Image.open(io.BytesIO(jpeg_bytes()))
    picture.save(buffer, "JPEG", progressive=True)
    content = buffer.getvalue()
    assert 5 < num_scans(content) < 20
    # A picture within the notes, and a film behind the end, have scans that are not decoded.
    inner = b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content
    assert num_scans(content[:2] + inner + content[2:] + content * 9) == num_scans(content)
    assert num_scans(b"") == num_scans(b"\xff\xd8") == 0


def test_bounds_change_nothing_of_what_is_within_them() -> None:
    bounds = Bounds(10**6, 10**4, 100, 10**7, 10**7, Deadline(60))
    for content in (jpeg_bytes(), gif(9)):
        plain = load_visual(content, fps=10.0)
        assert load_visual(content, fps=10.0, bounds=bounds).fingerprint() == plain.fingerprint()
        assert load_visual(content, fps=10.0, bounds=UNBOUNDED).num_frames == plain.num_frames


def test_a_deadline() -> None:
    deadline = Deadline(60)
    file = WatchedFile(b"abc", deadline)
    assert file.read(1) == b"a"
    deadline.cut()
    deadline.restart()
    with pytest.raises(OverBounds, match="longer than 60 s"):
        file.read(1)
    with pytest.raises(OverBounds, match="longer than 0 s"):
        Deadline(0).check()


def test_rereading() -> None:
    content = bytes(2**20)
    free, bounded = (WatchedFile(content, Deadline(60)) for _ in range(2))
    bounded.limit_rereading()

    def read(file: WatchedFile) -> None:
        for _ in range(18):
            file.seek(0)
            assert file.read() == content

    read(free)
    with pytest.raises(OverBounds, match="16 times over"):
        read(bounded)

"""Headers that would be read for seconds are given up."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from flamingo.data.collection.images import decoding_work, load_image
from flamingo.data.collection.images.bounded_file import MAX_READS, BoundedFile


def stored(kind: str, side: int = 32) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((side, side)).save(file, kind)
    return file.getvalue()


def test_a_file_can_be_read_a_bounded_number_of_times() -> None:
    file = BoundedFile(bytes(MAX_READS + 1))
    for _ in range(MAX_READS):
        assert file.read(1) == b"\0"
    with pytest.raises(OSError, match="more parts than"):
        file.read(1)


JPEG, PNG = stored("JPEG"), stored("PNG")


@pytest.mark.parametrize(
    "data",
    [
        JPEG[:2] + b"\xff" * MAX_READS + JPEG[2:],
        JPEG[:2] + b"\xff\xe5\0\2" * MAX_READS + JPEG[2:],
        PNG[:33] + b"\0\0\0\0tIME\xd0\x03\x26\x58" * MAX_READS + PNG[33:],
        b"P3\n" + b"#" * MAX_READS,
    ],
    ids=["fill bytes", "empty parts", "empty chunks", "comment"],
)
def test_a_header_without_an_end_is_given_up(data: bytes) -> None:
    found = load_image(data)
    assert isinstance(found, str)
    assert "more parts than" in found or "cannot be decoded" in found
    assert decoding_work(data) == 1_000_000


def test_work_grows_with_pixels_and_passes() -> None:
    assert decoding_work(stored("PNG", 100)) == 10_000
    scan = JPEG[JPEG.rindex(b"\xff\xda") : -2]
    assert decoding_work(JPEG) == 32 * 32
    assert decoding_work(JPEG[:-2] + scan * 60 + JPEG[-2:]) == 4 * 32 * 32
    assert decoding_work(b"no picture") == 1_000_000

"""What Pillow alone does not bound in a picture that was made to cost memory or time."""

from __future__ import annotations

import io

from PIL import Image

from flamingo.data.bounds import UNBOUNDED, Bounds, OverBounds, WatchedFile
from flamingo.data.gif_blocks import gif_frames
from flamingo.data.jpeg_segments import num_scans

_TILE_WIDTH, _TILE_LENGTH = 322, 323
"""Tags of TIFF."""
_MOST_SCANS = 64
"""Progressive pictures have about ten."""
_MOST_NOTES = 2**16
"""Bytes of the camera's notes: what one segment of a JPEG holds. Their entries may overlap, so
that what is read of them grows with the square of this."""


def check_unopened(name: str, file: io.BufferedIOBase, bounds: Bounds) -> None:
    """Looks through a file before Pillow does.

    Args:
        name: of its format.
        file: at its beginning or elsewhere.
        bounds: that must hold.

    Raises:
        OverBounds: it has too many parts, or one that makes the picture too large.
    """
    if name == "TIFF" and isinstance(file, WatchedFile):
        file.limit_rereading()
    if bounds is UNBOUNDED:
        return
    file.seek(0)
    if name == "JPEG" and (number := num_scans(file.read())) > _MOST_SCANS:
        raise OverBounds(
            f"the JPEG is coded in {number:,} scans, more than the limit of {_MOST_SCANS}.\n"
            "Each costs a pass over all pixels. Save it anew."
        )
    if name == "GIF":
        # Pillow makes the canvas as large as any frame asks for, and only then tells its size.
        for number, (right, bottom) in enumerate(gif_frames(file.read()), start=1):
            bounds.check_stored_frames(number)
            bounds.check_stored_size(right, bottom)


def check_opened(picture: Image.Image, bounds: Bounds) -> None:
    """Looks at a picture whose header was read.

    Raises:
        OverBounds: the picture, or a tile of it, is too large.
    """
    bounds.check_stored_size(*picture.size)
    tags = getattr(picture, "tag_v2", {})
    width, length = tags.get(_TILE_WIDTH), tags.get(_TILE_LENGTH)
    if isinstance(width, int) and isinstance(length, int):
        # A tile is unpacked as a whole, however little of it lies in the picture.
        bounds.check_stored_size(width, length)


def check_loaded(picture: Image.Image) -> None:
    """Looks at a picture whose pixels are there, before its camera's notes are read.

    Raises:
        OverBounds: they are too long.
    """
    notes = picture.info.get("exif") or b""
    hexadecimal = picture.info.get("Raw profile type exif") or ""
    if len(notes) > _MOST_NOTES or len(hexadecimal) > 2 * _MOST_NOTES:
        raise OverBounds(
            f"the camera's notes in the picture (EXIF) have more than {_MOST_NOTES:,} bytes.\n"
            "They were not read. Save the picture without them."
        )

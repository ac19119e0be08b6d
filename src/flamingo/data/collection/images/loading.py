"""From the bytes of an image, which a stranger chose, to the picture that a shard will hold."""

from __future__ import annotations

import io
import warnings

import numpy as np
import numpy.typing as npt
from PIL import Image

from flamingo.data.collection.images.bounded_file import BoundedFile
from flamingo.data.collection.pages import LoadedImage
from flamingo.data.perceptual_hash import perceptual_hash
from flamingo.data.pictures import open_picture
from flamingo.data.pixel_hash import pixels_sha256
from flamingo.foundation.errors import MediaError, reason
from flamingo.sequence import Visual

LONGEST_SIDE = 512
"""The paper's model sees 320 x 320 pixels; more than this is never needed."""
MAX_PIXELS = 25_000_000
"""A larger picture is refused; half of what is else allowed, as a crawl meets bombs every day."""
QUALITY = 90
"""Of JPEG files."""
THUMBNAIL_SIDE = 64

_JPEG, _SCAN = b"\xff\xd8", b"\xff\xda"
_MAX_SCANS, _USUAL_SCANS = 100, 20
"""Passes over a JPEG picture. Real ones have fewer than about 20; each one takes time."""
_WORK_OF_A_REFUSAL = 1_000_000
_MAX_PALETTE = 256


def load_image(
    data: bytes,
    *,
    longest_side: int = LONGEST_SIDE,
    quality: int = QUALITY,
    max_pixels: int = MAX_PIXELS,
) -> LoadedImage | str:
    """Reads an image, checks it, and writes it anew; gives a reason, in one line, if it cannot.

    What it is shows in its content, not in its name. Of an animation the first frame is taken;
    the rotation that a camera noted is applied; what is transparent becomes white. What was
    written about it, such as where a photo was taken, is gone. A picture of up to 256 colors
    becomes a PNG file where that is smaller, every other one JPEG: the same for the same bytes.

    Args:
        data: a file.
        longest_side: of the picture that is written, in pixels; smaller ones stay as they are.
        quality: of JPEG files, from 1 to 95.
        max_pixels: of the picture in the file; it is not decoded if it has more.
    """
    if not data:
        return "the file is empty"
    # In the coded data of a JPEG file this pair of bytes marks nothing but a new pass.
    if data.startswith(_JPEG) and data.count(_SCAN) > _MAX_SCANS:
        return f"the JPEG picture has more than {_MAX_SCANS} passes"
    try:
        visual = _decoded(data, max_pixels)
        small = _smaller(Image.fromarray(visual.frames[0]), longest_side)
        written, ending = _written(small, quality)
    except MediaError as error:
        return reason(error)
    except (OSError, ValueError, MemoryError) as error:
        return f"the picture cannot be written anew: {reason(error)}"
    return LoadedImage(
        data=written,
        ending=ending,
        width=small.width,
        height=small.height,
        original_width=visual.width,
        original_height=visual.height,
        sha256=pixels_sha256(visual),
        perceptual_hash=perceptual_hash(visual),
        thumbnail=np.array(_smaller(small, THUMBNAIL_SIDE)),
    )


def decoding_work(data: bytes, max_pixels: int = MAX_PIXELS) -> int:
    """What it takes `load_image` to decode a file, in pixels, told by its header.

    The passes of a progressive JPEG picture beyond the usual number count as pixels again, and a
    header that is refused counts as a million: it may have been long.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            picture = _opened(data, max_pixels)
        except MediaError:
            return _WORK_OF_A_REFUSAL
    passes = data.count(_SCAN) if data.startswith(_JPEG) else 1
    return picture.width * picture.height * (1 + passes // _USUAL_SCANS)


def _decoded(data: bytes, max_pixels: int) -> Visual:
    with warnings.catch_warnings():
        # What is odd in a stranger's file concerns nobody as long as it can be read.
        warnings.simplefilter("ignore")
        return Visual.from_image(_opened(data, max_pixels))


def _opened(data: bytes, max_pixels: int) -> Image.Image:
    picture = open_picture(BoundedFile(data))
    if picture is None:
        raise MediaError("the file is no picture of a known format")
    if picture.width * picture.height > max_pixels:
        size = f"{picture.width}x{picture.height}"
        raise MediaError(f"{size} pixels are more than the limit of {max_pixels:,}")
    return picture


def _smaller(picture: Image.Image, longest_side: int) -> Image.Image:
    longest = max(picture.size)
    if longest <= longest_side:
        return picture
    width, height = (max(1, round(side * longest_side / longest)) for side in picture.size)
    # Large steps first by plain means, which takes a third of the time and is not seen.
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _written(picture: Image.Image, quality: int) -> tuple[bytes, str]:
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=quality, subsampling="4:2:0")
    colors = picture.getcolors(_MAX_PALETTE)
    if colors is not None:
        png = io.BytesIO()
        _of_palette(picture, np.array([color for _, color in colors])).save(png, "PNG")
        if png.tell() <= jpeg.tell():
            return png.getvalue(), "png"
    return jpeg.getvalue(), "jpg"


def _of_palette(picture: Image.Image, colors: npt.NDArray[np.integer]) -> Image.Image:
    """The same picture as numbers of a table, without loss."""
    packed, table = _packed(np.asarray(picture)), np.sort(_packed(colors))
    numbered = Image.fromarray(np.searchsorted(table, packed).astype(np.uint8)).convert("P")
    numbered.putpalette(b"".join(color.to_bytes(3, "big") for color in table.tolist()))
    return numbered


def _packed(pixels: npt.NDArray[np.integer]) -> npt.NDArray[np.uint32]:
    """Each color as one number."""
    red, green, blue = np.moveaxis(pixels.astype(np.uint32), -1, 0)
    return red << 16 | green << 8 | blue

"""How a picture of any kind becomes red, green and blue: as here, or to the value as elsewhere.

A model answers best for pixels of the kind that it was trained on. Code that is not ours decided
for released models what becomes of rotation notes, of alpha and of palettes, and it is followed
here call by call, so that what Pillow cannot do for it cannot be done here either. Three things
are ours in every reading: which files are opened at all, that an animated picture is a video
(theirs see its first frame), and how arrays and the frames of videos are read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image, ImageOps

from flamingo.data.pictures import errors_as_ours
from flamingo.data.pillow_fits import covering_size
from flamingo.foundation.errors import ConfigError, nearest
from flamingo.sequence import Visual

PictureReader = Callable[[Image.Image, bool], Visual]
"""Makes a visual of a still picture; is told whether it comes from a file or its bytes."""

READINGS = ("upright", "open_clip", "idefics")


def picture_reader(reading: str, size: int) -> PictureReader:
    """The reader of a name.

    Args:
        reading: one of `READINGS`.
        size: side of the square that the pictures are meant for.

    Raises:
        ConfigError: there is no such reading.
    """
    if reading == "open_clip":
        return partial(as_open_clip, size=size)
    if reading == "idefics":
        return as_idefics
    if reading == "upright":
        return upright
    raise ConfigError(f"there is no reading {reading!r} of pictures.\n{nearest(reading, READINGS)}")


def upright(picture: Image.Image, is_file: bool) -> Visual:
    """The rotation that a camera noted is applied, and what is transparent becomes white.

    Raises:
        MediaError: the picture is damaged.
    """
    return Visual.from_image(picture)


def as_open_clip(picture: Image.Image, is_file: bool, *, size: int) -> Visual:
    """As `transform(PIL.Image.open(path))` of open_clip, but for the crop, which follows later.

    The camera's rotation is not applied. The shorter side is brought to `size` pixels before the
    colors are brought to red, green and blue: palettes and bits by their nearest neighbor, 16-bit
    gray with its 16 bits, and colors weighted by an alpha, which is dropped only then.

    Raises:
        MediaError: the picture is damaged, too long, or of a mode that Pillow cannot resize.
    """
    covering = covering_size(*picture.size, size)
    with errors_as_ours("the picture"):
        resized = picture.resize(covering, Image.Resampling.BICUBIC)
        return Visual.from_image(np.array(_in_color(resized)))


def as_idefics(picture: Image.Image, is_file: bool) -> Visual:
    """As IDEFICS' processor in transformers 5: files and pictures in memory differ there.

    Of a file the camera's rotation is applied, and alpha is dropped; only where a file names one
    transparent color, that becomes white. Of a picture in memory the rotation is not applied, and
    all that is transparent becomes white.

    Raises:
        MediaError: the picture is damaged, or of a mode that Pillow cannot convert.
    """
    with errors_as_ours("the picture"):
        if is_file:
            picture = _in_color(ImageOps.exif_transpose(picture))
        if "A" in picture.getbands() or picture.info.get("transparency") is not None:
            white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
            picture = Image.alpha_composite(white, picture.convert("RGBA"))
        return Visual.from_image(np.array(picture.convert("RGB")))


def _in_color(own: Image.Image) -> Image.Image:
    """Without alpha; of a picture that nobody else holds."""
    # Pillow would warn that an alpha for each color of a palette is lost; it is meant to be here.
    if isinstance(own.info.get("transparency"), bytes):
        del own.info["transparency"]
    return own.convert("RGB")

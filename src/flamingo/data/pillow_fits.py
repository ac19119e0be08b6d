"""How other models fit frames into a square, to the value: with Pillow's bicubic filter.

torch's filter for 8-bit pixels rounds otherwise, by a level here and there.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from flamingo.data.pictures import MAX_PIXELS
from flamingo.foundation.errors import MediaError

_BICUBIC = Image.Resampling.BICUBIC


def squash(
    frames: UInt8[np.ndarray, "frames height width 3"], size: int
) -> UInt8[np.ndarray, "frames {size} {size} 3"]:
    """The frames resized to the square; their aspect is not kept. So does IDEFICS."""
    pictures = (Image.fromarray(frame) for frame in frames)
    return np.stack([np.asarray(one.resize((size, size), _BICUBIC)) for one in pictures])


def crop(
    frames: UInt8[np.ndarray, "frames height width 3"], size: int
) -> UInt8[np.ndarray, "frames {size} {size} 3"]:
    """The middle of the frames, which were resized to cover the square. So does OpenFlamingo.

    Sizes are cut to whole pixels, and halves of a pixel go to the even side, as in torchvision.

    Raises:
        MediaError: the frames are so long that resized they have too many pixels.
    """
    _, height, width, _ = frames.shape
    covering = covering_size(width, height, size)
    left, top = (round((side - size) / 2) for side in covering)
    box = (left, top, left + size, top + size)
    pictures = (Image.fromarray(frame) for frame in frames)
    return np.stack([np.asarray(one.resize(covering, _BICUBIC).crop(box)) for one in pictures])


def covering_size(width: int, height: int, size: int) -> tuple[int, int]:
    """Width and height of what has `size` pixels on its shorter side, and the same aspect.

    Raises:
        MediaError: that is more pixels than a picture may have.
    """
    longer = int(size * max(width, height) / min(width, height))
    if size * longer > MAX_PIXELS:
        raise MediaError(
            f"{width}x{height} pixels, resized until the shorter side has {size}, are "
            f"{size * longer:,}, more than the limit of {MAX_PIXELS:,}.\n"
            "Only the middle would be looked at: cut it out of the picture first."
        )
    return (size, longer) if width <= height else (longer, size)

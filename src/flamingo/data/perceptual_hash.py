"""64 bits that say what a picture looks like, so that copies of it are found among millions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from flamingo.sequence import Visual

NUM_BITS = 64

_SIDE = 32
_PLAIN = 1.0
"""Gray values, of 256, that a picture must deviate from its mean: below, noise sets the bits."""


def perceptual_hash(visual: Visual) -> int | None:
    """The hash of a picture, or of the middle frame of a video; none if it is of one color.

    The picture becomes 32 x 32 means of gray. Of their cosine transform (DCT-II) the 64 lowest
    frequencies are taken, without the mean; a bit says whether one is above their median. So
    another size, format, brightness or contrast changes few bits. Mirroring, rotating or cropping
    changes about as many as another picture: such copies are not found.
    """
    gray = _small_gray(visual.frames[visual.num_frames // 2])
    if gray.std() < _PLAIN:
        return None
    waves = _WAVES @ gray @ _WAVES.T
    lowest = waves[_LOWEST[:, 0], _LOWEST[:, 1]]
    bits = np.packbits(lowest > np.median(lowest))
    return int.from_bytes(bits.tobytes(), "big")


def _small_gray(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    gray = Image.fromarray(frame).convert("L").convert("F")
    small = gray.resize((_SIDE, _SIDE), Image.Resampling.BOX)
    return np.asarray(small, np.float64)


def _waves() -> npt.NDArray[np.float64]:
    """The cosine transform as a matrix, `[frequencies, positions]`."""
    positions = (np.arange(_SIDE) + 0.5) * np.pi / _SIDE
    waves = np.cos(np.arange(_SIDE)[:, None] * positions)
    waves[0] /= np.sqrt(2)
    return waves


def _lowest() -> npt.NDArray[np.int64]:
    """The pairs of frequencies that are nearest to the mean, `[bits, 2]`."""
    pairs = [(down, across) for down in range(_SIDE) for across in range(_SIDE)]
    pairs.sort(key=lambda pair: (pair[0] ** 2 + pair[1] ** 2, pair))
    return np.array(pairs[1 : NUM_BITS + 1])


_WAVES, _LOWEST = _waves(), _lowest()

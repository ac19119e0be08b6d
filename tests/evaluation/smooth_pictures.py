"""Pictures with large shapes and fine noise, as photographs have them, all different."""

from __future__ import annotations

import numpy as np
from PIL import Image


def smooth_picture(seed: int, width: int = 160, height: int = 120) -> Image.Image:
    """A picture of random clouds of color."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    pixels = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.int16)
    noisy = pixels + rng.integers(-12, 13, pixels.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))

"""From pixels of any size to the square tensors that a vision encoder takes."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from flamingo.foundation.errors import ConfigError
from flamingo.sequence import Visual

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class VisualTransform:
    """Fits all frames of a visual into a square: aspect kept, centered, padded with the mean.

    Args:
        size: side of the square in pixels.
        mean: per color, from 0 to 1; becomes 0 in the result, as does the padding.
        std: per color, from 0 to 1; becomes 1 in the result.

    Raises:
        ConfigError: the size or a std is not positive, or there are not three colors.

    Paper: App. A.3 (320x320, aspect kept, padded with the mean).
    """

    def __init__(
        self,
        size: int,
        mean: tuple[float, ...] = IMAGENET_MEAN,
        std: tuple[float, ...] = IMAGENET_STD,
    ) -> None:
        if size < 1 or len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ConfigError(
                f"a transform with size={size}, mean={mean}, std={std} is impossible.\n"
                "The size must be at least 1, mean and std one number per color, std above 0."
            )
        self.size = size
        self.mean = tuple(mean)
        self.std = tuple(std)

    def __call__(self, visual: Visual) -> Float[Tensor, "frames 3 {self.size} {self.size}"]:
        """The normalized frames."""
        # A copy, because torch warns about arrays that cannot be written to.
        pixels = torch.from_numpy(np.array(visual.frames)).movedim(-1, 1)
        fitted = fit_within(pixels, self.size).to(torch.float32).div_(255)
        mean = torch.tensor(self.mean).view(3, 1, 1)
        std = torch.tensor(self.std).view(3, 1, 1)
        return _centered(fitted.sub_(mean).div_(std), self.size)

    def __repr__(self) -> str:
        return f"VisualTransform(size={self.size}, mean={self.mean}, std={self.std})"


def fit_within(
    pixels: UInt8[Tensor, "frames 3 height width"], size: int
) -> UInt8[Tensor, "frames 3 fitted_height fitted_width"]:
    """The frames made larger or smaller until their longest side has `size` pixels."""
    height, width = pixels.shape[-2:]
    longest = max(height, width)
    if longest == size:
        return pixels
    # A picture of 1000x1 still keeps one pixel of its short side.
    fitted = [max(1, round(side * size / longest)) for side in (height, width)]
    return F.interpolate(pixels, size=fitted, mode="bicubic", antialias=True, align_corners=False)


def _centered(
    pixels: Float[Tensor, "frames 3 height width"], size: int
) -> Float[Tensor, "frames 3 {size} {size}"]:
    height, width = pixels.shape[-2:]
    if height == width == size:
        return pixels
    top, left = (size - height) // 2, (size - width) // 2
    return F.pad(pixels, (left, size - width - left, top, size - height - top))

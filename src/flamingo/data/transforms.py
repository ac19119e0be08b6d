"""From pixels of any size to the square tensors that a vision encoder takes."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from flamingo.data.pillow_fits import crop, squash
from flamingo.foundation.errors import ConfigError, nearest
from flamingo.sequence import Visual

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

FITS = ("pad", "squash", "crop")


class VisualTransform:
    """Fits all frames of a visual into a square, and normalizes their colors.

    Args:
        size: side of the square in pixels.
        mean: per color, from 0 to 1; becomes 0 in the result, as does the padding.
        std: per color, from 0 to 1; becomes 1 in the result.
        fit: "pad" keeps the aspect, centers, and pads with the mean; "squash" does not keep it;
            "crop" keeps it and takes the middle.

    Raises:
        ConfigError: the size or a std is not positive, there are not three colors, or there is no
            such fit.

    Paper: App. A.3 (320x320, aspect kept, padded with the mean).
    """

    def __init__(
        self,
        size: int,
        mean: tuple[float, ...] = IMAGENET_MEAN,
        std: tuple[float, ...] = IMAGENET_STD,
        fit: str = "pad",
    ) -> None:
        if size < 1 or len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ConfigError(
                f"a transform with size={size}, mean={mean}, std={std} is impossible.\n"
                "The size must be at least 1, mean and std one number per color, std above 0."
            )
        check_fit(fit)
        self.size = size
        self.mean = tuple(mean)
        self.std = tuple(std)
        self.fit = fit

    def __call__(self, visual: Visual) -> Float[Tensor, "frames 3 {self.size} {self.size}"]:
        """The normalized frames.

        Raises:
            MediaError: the visual is too long to be cropped.
        """
        if self.fit == "squash":
            frames = squash(visual.frames, self.size)
        elif self.fit == "crop":
            frames = crop(visual.frames, self.size)
        else:
            # A copy, because torch warns about arrays that cannot be written to.
            frames = np.array(visual.frames)
        pixels = torch.from_numpy(frames).movedim(-1, 1)
        fitted = fit_within(pixels, self.size).to(torch.float32).div_(255)
        mean = torch.tensor(self.mean).view(3, 1, 1)
        std = torch.tensor(self.std).view(3, 1, 1)
        return _centered(fitted.sub_(mean).div_(std), self.size)

    def __repr__(self) -> str:
        # What is kept on disk goes by this text, so a transform keeps the one that it had.
        fit = "" if self.fit == "pad" else f", fit={self.fit!r}"
        return f"VisualTransform(size={self.size}, mean={self.mean}, std={self.std}{fit})"


def check_fit(fit: str) -> None:
    """Refuses what is none of `FITS`.

    Raises:
        ConfigError: there is no such fit.
    """
    if fit not in FITS:
        raise ConfigError(f"there is no fit {fit!r} of visuals.\n{nearest(fit, FITS)}")


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

"""Images that show something, not a single color."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from flamingo.data.collection.pages import ImageNode, Outcome, Page
from flamingo.data.collection.steps.checks import check_least
from flamingo.data.collection.steps.removing import without_images

_LEVELS = 16


@dataclass(frozen=True)
class PlainImages:
    """Takes images out that are of a single color, or nearly so.

    That is told from the thumbnail. Colors are told apart by 16 levels of red, green and blue, so
    that the noise of a JPEG file makes few of them.

    Args:
        min_colors: different colors that an image has.
        min_deviation: of 256 values, what red, green or blue deviates from its mean, as the root
            of the mean square.

    Raises:
        ConfigError: a number is below 0.

    Source: the paper drops images of "obviously low quality", for instance of a single color, and
    tells no thresholds; they are ours.
    """

    name: ClassVar[str] = "plain-images"
    source: ClassVar[str] = "paper, App. A.3"
    needs_pixels: ClassVar[bool] = True

    min_colors: int = 2
    min_deviation: float = 3.0

    def __post_init__(self) -> None:
        check_least(self.name, 0, min_colors=self.min_colors, min_deviation=self.min_deviation)

    def __call__(self, page: Page) -> Outcome:
        """The page without those images."""
        return without_images(page, self._reason_against)

    def _reason_against(self, node: ImageNode) -> str | None:
        if node.image is None or not node.image.thumbnail.size:
            return None
        thumbnail = node.image.thumbnail
        num_colors = number_of_colors(thumbnail)
        if num_colors < self.min_colors:
            return f"{num_colors} colors, at least {self.min_colors}"
        deviation = deviation_of(thumbnail)
        if deviation < self.min_deviation:
            return f"colors that deviate by {deviation:.2f}, at least {self.min_deviation:g}"
        return None


def number_of_colors(thumbnail: npt.NDArray[np.uint8]) -> int:
    """How many colors there are in `[height, width, 3]`, by 16 levels of each channel."""
    levels = (thumbnail // np.uint8(256 // _LEVELS)).astype(np.uint16).reshape(-1, 3)
    codes = (levels[:, 0] * _LEVELS + levels[:, 1]) * _LEVELS + levels[:, 2]
    return int(np.count_nonzero(np.bincount(codes, minlength=_LEVELS**3)))


def deviation_of(thumbnail: npt.NDArray[np.uint8]) -> float:
    """What the channel that changes most deviates from its mean."""
    channels = np.ascontiguousarray(thumbnail.reshape(-1, 3).T, dtype=np.float32)
    return float(channels.std(axis=1).max())

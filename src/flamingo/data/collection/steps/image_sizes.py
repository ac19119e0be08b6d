"""Images that are neither tiny nor huge, nor mere strips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flamingo.data.collection.pages import ImageNode, Outcome, Page
from flamingo.data.collection.steps.checks import check_least, check_range
from flamingo.data.collection.steps.removing import without_images


@dataclass(frozen=True)
class RenderedSize:
    """Takes images out that the page itself shows too small, or too large, before they are read.

    An image of which the page says no size stays; if it says one side, that is looked at.

    Args:
        min_side: pixels that neither side may be below.
        max_side: pixels that neither side may be above; None for no limit.

    Raises:
        ConfigError: a number is below 0, or nothing could stay.

    Source: the paper drops images whose width or height is below 64 pixels, and does not say
    whether as rendered or as loaded; OBELICS looks at both, for 150 to 20,000.
    """

    name: ClassVar[str] = "rendered-size"
    source: ClassVar[str] = "paper, App. A.3; OBELICS"
    needs_pixels: ClassVar[bool] = False

    min_side: int = 64
    max_side: int | None = None

    def __post_init__(self) -> None:
        check_least(self.name, 0, min_side=self.min_side)
        check_range(self.name, "pixels", self.min_side, self.max_side)

    def __call__(self, page: Page) -> Outcome:
        """The page without those images."""
        return without_images(page, self._reason_against)

    def _reason_against(self, node: ImageNode) -> str | None:
        sides = [side for side in (node.width, node.height) if side is not None]
        return _reason_against(sides, "shown with", self.min_side, self.max_side)


@dataclass(frozen=True)
class ImageSize:
    """Takes images out that are too small, or too large, as they were loaded.

    Args:
        min_side: pixels that neither side may be below.
        max_side: pixels that neither side may be above; None for no limit.

    Raises:
        ConfigError: a number is below 0, or nothing could stay.

    Source: the paper drops images whose width or height is below 64 pixels; OBELICS keeps 150 to
    20,000, MMC4 150 and more.
    """

    name: ClassVar[str] = "image-size"
    source: ClassVar[str] = "paper, App. A.3; OBELICS; MMC4"
    needs_pixels: ClassVar[bool] = True

    min_side: int = 64
    max_side: int | None = None

    def __post_init__(self) -> None:
        check_least(self.name, 0, min_side=self.min_side)
        check_range(self.name, "pixels", self.min_side, self.max_side)

    def __call__(self, page: Page) -> Outcome:
        """The page without those images."""
        return without_images(page, self._reason_against)

    def _reason_against(self, node: ImageNode) -> str | None:
        if node.image is None:
            return None
        sides = [node.image.original_width, node.image.original_height]
        return _reason_against(sides, "a side of", self.min_side, self.max_side)


@dataclass(frozen=True)
class AspectRatio:
    """Takes images out that are much longer in one direction than in the other.

    Args:
        max_ratio: of the longer side to the shorter one, as the image was loaded.

    Raises:
        ConfigError: it is below 1.

    Source: the paper drops ratios above 3, either way; OBELICS and MMC4 above 2.
    """

    name: ClassVar[str] = "aspect-ratio"
    source: ClassVar[str] = "paper, App. A.3; OBELICS; MMC4"
    needs_pixels: ClassVar[bool] = True

    max_ratio: float = 3.0

    def __post_init__(self) -> None:
        check_least(self.name, 1, max_ratio=self.max_ratio)

    def __call__(self, page: Page) -> Outcome:
        """The page without those images."""
        return without_images(page, self._reason_against)

    def _reason_against(self, node: ImageNode) -> str | None:
        if node.image is None:
            return None
        shorter, longer = sorted((node.image.original_width, node.image.original_height))
        if longer <= self.max_ratio * shorter:
            return None
        ratio = longer / max(shorter, 1)
        return f"aspect ratio {ratio:.2f}, at most {self.max_ratio:g}"


def _reason_against(sides: list[int], what: str, min_side: int, max_side: int | None) -> str | None:
    if sides and min(sides) < min_side:
        return f"{what} {min(sides)} pixels, at least {min_side}"
    if sides and max_side is not None and max(sides) > max_side:
        return f"{what} {max(sides)} pixels, at most {max_side}"
    return None

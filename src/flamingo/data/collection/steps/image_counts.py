"""Pages with as many images as are wanted, each of them once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flamingo.data.collection.pages import ImageNode, Outcome, Page
from flamingo.data.collection.steps.checks import check_least, check_range
from flamingo.data.collection.steps.removing import page_out, without_images


@dataclass(frozen=True)
class NumberOfImages:
    """Takes pages out that have too few images, by default none, or too many.

    Args:
        min_images: of the page.
        max_images: of the page; None for no limit.

    Raises:
        ConfigError: a number is below 0, or nothing could stay.

    Source: the paper drops documents without images, before and after its other filters; OBELICS
    keeps documents with 1 to 30.
    """

    name: ClassVar[str] = "number-of-images"
    source: ClassVar[str] = "paper, App. A.3; OBELICS"
    needs_pixels: ClassVar[bool] = False

    min_images: int = 1
    max_images: int | None = None

    def __post_init__(self) -> None:
        check_least(self.name, 0, min_images=self.min_images)
        check_range(self.name, "images", self.min_images, self.max_images)

    def __call__(self, page: Page) -> Outcome:
        """The page, or nothing."""
        num_images = len(page.images)
        if num_images < self.min_images:
            return page_out(page, f"{num_images} images, at least {self.min_images}")
        if self.max_images is not None and num_images > self.max_images:
            return page_out(page, f"{num_images} images, at most {self.max_images}")
        return Outcome(page)


@dataclass(frozen=True)
class DuplicateImages:
    """Takes images out that the page has shown before: of the same address, or the same pixels.

    Source: the last cleaning of OBELICS, which looks at addresses alone.
    """

    name: ClassVar[str] = "duplicate-images"
    source: ClassVar[str] = "OBELICS"
    needs_pixels: ClassVar[bool] = True

    def __call__(self, page: Page) -> Outcome:
        """The page with the first of each."""
        seen: set[str] = set()

        def reason_against(node: ImageNode) -> str | None:
            pixels = f"pixels {node.image.sha256}" if node.image is not None else None
            address = f"address {node.address}"
            reason = None
            if address in seen:
                reason = "the page has shown this address before"
            elif pixels in seen:
                reason = "the page has shown these pixels before"
            seen.update({address, pixels or address})
            return reason

        return without_images(page, reason_against)

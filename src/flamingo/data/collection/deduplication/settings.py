"""Which duplicates go, which are only told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from flamingo.data.collection.deduplication.minhash import banding
from flamingo.data.near_pairs import MAX_DISTANCE
from flamingo.foundation.errors import ConfigError

Handling: TypeAlias = Literal["remove", "report", "off"]


@dataclass(frozen=True)
class DeduplicationSettings:
    """Rules in the order in which they are applied; each sees what those before it have left.

    Args:
        same_address: of pages with one URL the latest stays, of equally late ones the first.
        same_text: of pages with the same text the first stays.
        near_text: Jaccard similarity of shingles of five words, estimated to within 0.04, from
            which on a page goes if a page that stays is so similar to it. Longer pages are looked
            at first, then those that come first. None: pages may be similar.
        min_words: of a page whose text is compared; below, pages differ by their images.
        max_uses_of_address: an image address that pages show more often goes everywhere.
        max_pages_of_image: an image, pixel by pixel, that is on more pages goes everywhere.
        same_images: of pages with the same set of images the latest stays, of equally late ones
            the first.
        benchmark_images: what becomes of images of a benchmark.
        benchmark_bits: in which perceptual hashes of them may differ.
        same_in_page: of the same image, pixel by pixel, on one page the first stays.
        near_in_page: what becomes of an image that looks like one before it on the same page. It
            may be a copy of another size, or one thing before and after something was done to it.
        near_in_corpus: what becomes of an image that looks like one before it on whatever page.
        image_bits: in which the perceptual hashes of images may differ that look alike.
        max_pages_of_paragraph: a text that is on more pages of one domain goes everywhere in it.

    Raises:
        ConfigError: a number is out of its range.

    Source: OBELICS for addresses, sets of images, images of one page and paragraphs, with its
    numbers. The paper only measures benchmark images in M3W, and removes them from its pairs
    (Sec. 3, "Dedup").
    """

    same_address: bool = True
    same_text: bool = True
    near_text: float | None = 0.8
    min_words: int = 10
    max_uses_of_address: int | None = 10
    max_pages_of_image: int | None = 10
    same_images: bool = True
    benchmark_images: Handling = "report"
    benchmark_bits: int = 6
    same_in_page: bool = True
    near_in_page: Handling = "report"
    near_in_corpus: Handling = "report"
    image_bits: int = 4
    max_pages_of_paragraph: int | None = 2

    def __post_init__(self) -> None:
        if self.near_text is not None:
            if not 0 < self.near_text <= 1:
                raise ConfigError(
                    f"near_text is {self.near_text}, but a similarity is above 0 and at most 1."
                )
            banding(self.near_text)
        for name in ("benchmark_bits", "image_bits"):
            if not 0 <= getattr(self, name) <= MAX_DISTANCE:
                raise ConfigError(
                    f"{name} is {getattr(self, name)}, but must be from 0 to {MAX_DISTANCE}."
                )
        counts = ("max_uses_of_address", "max_pages_of_image", "max_pages_of_paragraph")
        for name in counts:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} is {value}, but must be 1 or more, or null for no rule.")
        if self.min_words < 0:
            raise ConfigError(f"min_words is {self.min_words}, but must be 0 or more.")


NO_DEDUPLICATION = DeduplicationSettings(
    same_address=False,
    same_text=False,
    near_text=None,
    max_uses_of_address=None,
    max_pages_of_image=None,
    same_images=False,
    benchmark_images="off",
    same_in_page=False,
    near_in_page="off",
    near_in_corpus="off",
    max_pages_of_paragraph=None,
)
"""Every rule off, to switch on some with `dataclasses.replace`."""

"""Small pages with texts and images that need no files, and what is decided about them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from flamingo.data.collection.deduplication import (
    BenchmarkImages,
    Decisions,
    DeduplicationSettings,
    SignatureTable,
    decide,
    signature_of,
)
from flamingo.data.collection.pages import ImageNode, LoadedImage, Node, Page, TextNode

_THUMBNAIL = np.zeros((1, 1, 3), np.uint8)


def image(pixels: str, look: int | None = None, address: str = "") -> ImageNode:
    """An image with made-up pixels; its address is its own unless it is given."""
    loaded = LoadedImage(
        data=b"",
        ending="png",
        width=9,
        height=9,
        original_width=9,
        original_height=9,
        sha256=hashlib.sha256(pixels.encode()).hexdigest(),
        perceptual_hash=look,
        thumbnail=_THUMBNAIL,
    )
    return ImageNode(address or f"https://images.org/{pixels}", image=loaded)


def page(address: str, *nodes: Node | str, date: str | None = None) -> Page:
    """A page of texts and images."""
    made = tuple(TextNode(node) if isinstance(node, str) else node for node in nodes)
    return Page(address, "", made, date=date)


def words(num: int, *seed: int) -> list[str]:
    """Words that another seed gives rarely."""
    return [f"w{number_of(*seed, place) % 50_000}" for place in range(num)]


def look(*seed: int) -> int:
    """A perceptual hash that is far from that of another seed."""
    return number_of(*seed)


def number_of(*seed: int) -> int:
    """64 bits; drawn without random generators, which strategies of hypothesis may not use."""
    return int.from_bytes(hashlib.blake2b(repr(seed).encode(), digest_size=8).digest(), "little")


def text(num: int, *seed: int) -> str:
    return " ".join(words(num, *seed))


def decided(
    pieces: Iterable[Sequence[Page]],
    settings: DeduplicationSettings | None = None,
    benchmarks: BenchmarkImages | None = None,
) -> Decisions:
    """Decides about pieces of pages."""
    tables = [SignatureTable.of(signature_of(one) for one in pages) for pages in pieces]
    return decide(tables, settings, benchmarks)


def left(decisions: Decisions, pieces: Sequence[Sequence[Page]]) -> list[Page]:
    """What is left of the pages, in order."""
    outcomes = []
    for number, pages in enumerate(pieces):
        decision = decisions.of(number)
        outcomes += [decision.page(place).apply(one).page for place, one in enumerate(pages)]
    return [one for one in outcomes if one is not None]


def addresses_left(pages: Sequence[Page], settings: DeduplicationSettings) -> list[str]:
    """The addresses of those pages of one piece that stay."""
    return [one.address for one in left(decided([pages], settings), [pages])]

"""Pairs of a page's images with their alternative texts or captions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flamingo.data.collection.made_samples import MadeSample, Refused, refused
from flamingo.data.collection.pages import ImageNode, Node, Page, Step, TextNode
from flamingo.data.collection.pairs.making import drawn, pair_samples, usable_texts
from flamingo.data.collection.pairs.settings import PairSettings


def pairs_of_page(
    page: Page,
    key: str,
    settings: PairSettings,
    *,
    frequent: frozenset[int] = frozenset(),
    steps: Sequence[Step] = (),
) -> Iterator[MadeSample | Refused]:
    """A sample for each image of a page that has a text of its own, or why there is none.

    Args:
        page: whose images were read.
        key: of the page; the samples get the numbers of their images behind it.
        settings: what decides which pairs are made.
        frequent: hashes of texts that no pair may have; see `frequent_texts`.
        steps: of pages, each of which a pair has to pass too.
    """
    number = 0
    for position, node in enumerate(page.nodes):
        if isinstance(node, ImageNode):
            caption = _caption(page.nodes, position)
            yield from _pairs(page, node, caption, f"{key}-{number:04d}", settings, frequent, steps)
            number += 1


def texts_of_page(page: Page, settings: PairSettings) -> Iterator[str]:
    """The texts that its pairs would have, to be counted; no image needs to have been read."""
    for position, node in enumerate(page.nodes):
        if isinstance(node, ImageNode):
            caption = _caption(page.nodes, position)
            for text in _chosen(node.alt, caption, settings, frozenset()):
                if isinstance(text, str):
                    yield text


def _pairs(
    page: Page,
    node: ImageNode,
    caption: str,
    key: str,
    settings: PairSettings,
    frequent: frozenset[int],
    steps: Sequence[Step],
) -> Iterator[MadeSample | Refused]:
    good: list[str] = []
    for text in _chosen(node.alt, caption, settings, frequent):
        if isinstance(text, Refused):
            yield text
        else:
            good.append(text)
    if not good:
        return
    if node.image is None:
        yield refused("image", "it was not read", node.address)
        return
    is_url = not node.address.startswith("data:")
    provenance = {
        "url": node.address if is_url else None,
        "page": page.address,
        "license": page.license,
        "language": page.language,
        "date": page.date,
    }
    texts = drawn(good, settings, key)
    yield from pair_samples(key, texts, node.image, provenance, settings, steps)


def _chosen(
    alt: str, caption: str, settings: PairSettings, frequent: frozenset[int]
) -> Iterator[str | Refused]:
    """The texts that an image is to be paired with, and why others are not."""
    kind = settings.page_texts
    if kind in ("alt", "caption"):
        yield from usable_texts([alt if kind == "alt" else caption], settings, frequent)
        return
    for text in usable_texts([one for one in (alt, caption) if one], settings, frequent):
        yield text
        if kind == "either" and isinstance(text, str):
            return


def _caption(nodes: Sequence[Node], position: int) -> str:
    """The text that is marked as a caption and stands next to an image: behind it, or before it."""
    for place in (position + 1, position - 1):
        if 0 <= place < len(nodes):
            node = nodes[place]
            if isinstance(node, TextNode) and node.kind == "caption":
                return node.text
    return ""

"""Pairs of a page's images with their alternative texts or captions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

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
    unread: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[MadeSample | Refused]:
    """A sample for each image of a page that has a text of its own, or why there is none.

    Args:
        page: whose images were read; those that `addresses_with_texts` leaves out need not be.
        key: of the page; the samples get the numbers of their images behind it.
        settings: what decides which pairs are made.
        frequent: hashes of texts that no pair may have; see `frequent_texts`.
        steps: of pages, each of which a pair has to pass too.
        unread: why an image was not read, by its address.
    """
    for number, (node, found) in enumerate(_images(page, settings, frequent)):
        yield from (one for one in found if isinstance(one, Refused))
        good = [one for one in found if isinstance(one, str)]
        if good and node.image is None:
            why = unread.get(node.address, "it was not read")
            yield refused("image", why, node.address)
        elif good:
            yield from _pairs(page, node, good, f"{key}-{number:04d}", settings, steps)


def texts_of_page(page: Page, settings: PairSettings) -> Iterator[str]:
    """The texts that its pairs would have, to be counted; no image needs to have been read."""
    for _, found in _images(page, settings, frozenset()):
        yield from (one for one in found if isinstance(one, str))


def addresses_with_texts(
    page: Page, settings: PairSettings, frequent: frozenset[int] = frozenset()
) -> frozenset[str]:
    """Where the images are that would make pairs, so that no others need to be read."""
    return frozenset(
        node.address
        for node, found in _images(page, settings, frequent)
        if any(isinstance(one, str) for one in found)
    )


def _images(
    page: Page, settings: PairSettings, frequent: frozenset[int]
) -> Iterator[tuple[ImageNode, list[str | Refused]]]:
    """Each image with the texts that it is to be paired with, and why others are not."""
    for position, node in enumerate(page.nodes):
        if isinstance(node, ImageNode):
            caption = _caption(page.nodes, position)
            yield node, list(_chosen(node.alt, caption, settings, frequent))


def _pairs(
    page: Page,
    node: ImageNode,
    good: Sequence[str],
    key: str,
    settings: PairSettings,
    steps: Sequence[Step],
) -> Iterator[MadeSample | Refused]:
    assert node.image is not None
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

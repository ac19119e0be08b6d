"""Small pages to try steps on."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from flamingo.data.collection.pages import (
    ImageNode,
    LoadedImage,
    Node,
    Outcome,
    Page,
    Step,
    TextKind,
    TextNode,
)

_SENTENCE = (
    "the old garden of our house has many kinds of roses and they bloom with great beauty from "
    "early spring to late autumn because the soil is rich while rain falls often in this valley "
    "where people have learned that plants grow best when left alone under a warm gentle sun"
)
WORDS = _SENTENCE.split()
"""Plain English, no word of which is rare; 51 words."""

ADDRESS = "https://example.com/page.html"


def page(*nodes: Node, language: str | None = None, address: str = ADDRESS) -> Page:
    return Page(address, "A title", nodes, language=language)


def text(*words: str, kind: TextKind = "paragraph") -> TextNode:
    return TextNode(" ".join(words), kind)


def image(
    address: str = "https://example.com/a.png",
    width: int | None = None,
    height: int | None = None,
    *,
    original: tuple[int, int] | None = None,
    thumbnail: npt.NDArray[np.uint8] | None = None,
) -> ImageNode:
    """An image; one that was loaded if its original size or its thumbnail is given."""
    if original is None and thumbnail is None:
        return ImageNode(address, "", width, height)
    thumbnail = noise() if thumbnail is None else thumbnail
    original_width, original_height = original or (640, 480)
    loaded = LoadedImage(
        data=b"",
        ending="png",
        width=64,
        height=64,
        original_width=original_width,
        original_height=original_height,
        sha256=hashlib.sha256(thumbnail.tobytes()).hexdigest(),
        perceptual_hash=None,
        thumbnail=thumbnail,
    )
    return ImageNode(address, "", width, height, loaded)


def noise(seed: int = 0) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)


def reason_of(outcome: Outcome) -> str:
    """The reason of the one removal that there is."""
    (removal,) = outcome.removals
    return removal.reason


def is_kept(step: Step, *nodes: Node) -> bool:
    """Whether a page of these nodes passes as it is; if not, it is out as a whole."""
    before = page(*nodes)
    outcome = step(before)
    if outcome.page is before:
        assert outcome.removals == ()
        return True
    assert outcome.page is None
    assert [removal.what for removal in outcome.removals] == ["page"]
    assert outcome.removals[0].example == ADDRESS
    return False


def kept_of(step: Step, *nodes: Node) -> list[Node]:
    """What is left of the nodes; the rest is reported, one removal each."""
    outcome = step(page(*nodes))
    assert outcome.page is not None
    assert len(outcome.removals) == len(nodes) - len(outcome.page.nodes)
    return list(outcome.page.nodes)

"""A web page on its way to a document: as bytes, as texts and images in reading order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

TextKind = Literal["title", "heading", "paragraph", "item", "caption", "code", "table"]
"""What a text was on its page."""

What = Literal["page", "image", "text"]


@dataclass(frozen=True)
class RawPage:
    """A page as it was found.

    Attributes:
        address: its URL, or its path below the folder that was given.
        content: its bytes.
        encoding: that a header has told, if any.
        base: what relative addresses in it start from, if not `address`.
        date: when it was fetched, as the archive says.
    """

    address: str
    content: bytes
    encoding: str | None = None
    base: str | None = None
    date: str | None = None


@dataclass(frozen=True)
class TextNode:
    """A run of text, its white space made single."""

    text: str
    kind: TextKind = "paragraph"

    @property
    def num_words(self) -> int:
        """How many words it has, between white space."""
        return len(self.text.split())


@dataclass(frozen=True)
class LoadedImage:
    """An image that was read, checked and written anew.

    Attributes:
        data: the file that a shard will hold.
        ending: of that file: "jpg", "png" or "webp".
        width: of the picture in it, in pixels.
        height: the same.
        original_width: before it was made smaller.
        original_height: the same.
        sha256: of the pixels that it had.
        perceptual_hash: 64 bits that change little where the picture does; None of one color.
        thumbnail: uint8 [height, width, 3], no side longer than 64.
    """

    data: bytes = field(repr=False)
    ending: str
    width: int
    height: int
    original_width: int
    original_height: int
    sha256: str
    perceptual_hash: int | None
    thumbnail: npt.NDArray[np.uint8] = field(repr=False, compare=False)


@dataclass(frozen=True)
class ImageNode:
    """An image in its place.

    Attributes:
        address: where it is: a URL, a path below the folder, or a data: URL.
        alt: its alternative text, empty if there is none.
        width: as the page asks to show it, in pixels; None if it does not say.
        height: the same.
        image: the picture, once it was read.
    """

    address: str
    alt: str = ""
    width: int | None = None
    height: int | None = None
    image: LoadedImage | None = None


Node: TypeAlias = TextNode | ImageNode


@dataclass(frozen=True)
class Page:
    """A page's own texts and images, in the order in which a reader meets them.

    Attributes:
        address: its URL, or its path below the folder that was given.
        title: of the page; also its first text, where the page shows it.
        nodes: texts and images.
        language: that the page says it is in, such as "en"; None if it does not.
        license: that the page says it is under; None if it does not.
        date: when it was fetched.
    """

    address: str
    title: str
    nodes: tuple[Node, ...]
    language: str | None = None
    license: str | None = None
    date: str | None = None

    @property
    def images(self) -> tuple[ImageNode, ...]:
        """Its images, in order."""
        return tuple(node for node in self.nodes if isinstance(node, ImageNode))

    @property
    def texts(self) -> tuple[TextNode, ...]:
        """Its texts, in order."""
        return tuple(node for node in self.nodes if isinstance(node, TextNode))

    @property
    def num_words(self) -> int:
        """Of all its texts."""
        return sum(text.num_words for text in self.texts)

    def with_nodes(self, nodes: Iterator[Node] | tuple[Node, ...]) -> Page:
        """The same page with other nodes."""
        return replace(self, nodes=tuple(nodes))


@dataclass(frozen=True)
class Removal:
    """Something that a step took out of a page, or a page that it took out as a whole.

    Attributes:
        what: kind of thing.
        reason: why, with the number that decided: "aspect ratio 4.2, at most 3".
        example: the text, cut, or the address of the image or page.
    """

    what: What
    reason: str
    example: str


@dataclass(frozen=True)
class Outcome:
    """What a step made of a page.

    Attributes:
        page: what is left; None if the page is out.
        removals: what was taken out of it. A page that is out is one removal.
    """

    page: Page | None
    removals: tuple[Removal, ...] = ()


@runtime_checkable
class Step(Protocol):
    """One named step on the way of a page.

    Attributes:
        name: for reports and recipes: "image-size".
        source: where the rule is from: "paper, App. A.3" or "OBELICS".
        needs_pixels: whether images must have been read before it.
    """

    @property
    def name(self) -> str:
        """See above."""

    @property
    def source(self) -> str:
        """See above."""

    @property
    def needs_pixels(self) -> bool:
        """See above."""

    def __call__(self, page: Page) -> Outcome:
        """What is left of a page; never raises."""

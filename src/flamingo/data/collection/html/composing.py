"""Puts texts and images together while a page's tree is walked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

from flamingo.data.collection.html.tags import Role
from flamingo.data.collection.html.texts import (
    LINE_BREAK,
    MARKS_OF_LINKS,
    paragraphs,
    single_spaced,
    without_mark,
)
from flamingo.data.collection.pages import ImageNode, Node, TextKind, TextNode

MOSTLY_LINKS = 0.75
"""Share of characters in links from which a text or a group of texts only leads elsewhere."""
FEW_LINKS = 3
"""Fewer links than this are never a menu."""
SHORT_HEAD = 100
"""Characters that a page may have above its title, in words such as "Skip to content"."""
SHORT_ASIDE = 200
"""Something beside the text with fewer characters is dropped."""
FEW_LINKED = 0.2
"""Share of characters in links up to which something beside the text is prose."""
SHORT_FORM = 500
"""A form with fewer characters, and without a title, is something to fill in; a longer one is a
whole page in a `<form>`."""
_LONG_FIGURE = 32
_HEADINGS = ("heading", "title")

Counts: TypeAlias = tuple[int, int, int, int, int]
"""What was kept so far: nodes, characters, those in links, links, images with titles."""
Frame: TypeAlias = tuple[Role, TextKind, Counts]
"""A block that is open: what is done at its end, the kind of texts around it, what was before."""


@dataclass(frozen=True)
class Region:
    """A part that the page marks as the main one.

    Attributes:
        start: of its nodes.
        end: the number of the node after it.
        characters: of its texts.
    """

    start: int
    end: int
    characters: int


class Composer:
    """Nodes so far, and the text that no block has ended yet.

    Args:
        drops_navigation: whether parts that are little more than links go.

    Attributes:
        nodes: texts and images that were kept; all first-level headings are titles among them.
        run: pieces of the text in work.
        kind: of the text in work.
        characters: of all texts that were kept.
        links: in the text in work.
        link_characters: of the text in work.
        regions: the outermost only.
    """

    def __init__(self, *, drops_navigation: bool = True) -> None:
        self.nodes: list[Node] = []
        self.run: list[str] = []
        self.kind: TextKind = "paragraph"
        self.characters = 0
        self.links = self.link_characters = 0
        self.regions: list[Region] = []
        self._drops_navigation = drops_navigation
        self._kept_links = self._kept_link_characters = self._anchors = 0
        self._headers = self._open_regions = 0

    @property
    def is_above_all(self) -> bool:
        """Whether there was no title yet, no image, and no more text than a link or two have."""
        return not self._anchors and self.characters < SHORT_HEAD

    def end_text(self) -> None:
        """The text in work is whole. To be called only where there is a `run`."""
        text = "".join(self.run)
        self.run.clear()
        if self.links:
            links, in_links = self.links, self.link_characters
            self.links = self.link_characters = 0
            if self._is_menu(links, in_links, len(text)):
                return
            self._kept_links += links
            self._kept_link_characters += in_links
        if LINE_BREAK in text:
            for paragraph in paragraphs(text):
                self._add(paragraph)
        elif text := single_spaced(text):
            self._add(text)

    def _add(self, text: str) -> None:
        kind = self.kind
        if text[-1] in MARKS_OF_LINKS and not (text := without_mark(text)):
            return
        self.nodes.append(TextNode(text, kind))
        self.characters += len(text)
        if kind == "title":
            self._anchors += 1

    def add_text(self, text: str, kind: TextKind, *, links: int = 0, in_links: int = 0) -> None:
        """A text that was read as a whole, with how many links and characters in them."""
        if self.run:
            self.end_text()
        if text and not self._is_menu(links, in_links, len(text)):
            self.nodes.append(TextNode(text, kind))
            self.characters += len(text)
            self._kept_links += links
            self._kept_link_characters += in_links

    def add_image(self, image: ImageNode) -> None:
        """An image in its place."""
        if self.run:
            self.end_text()
        self.nodes.append(image)
        self._anchors += 1

    def open(self, role: Role) -> Frame:
        """A block begins of which its end decides; gives what `close` needs."""
        if self.run:
            self.end_text()
        if role is Role.HEADER:
            # The head of an article, with its date and its authors, is no head of a page.
            role = Role.GROUP if self._open_regions else role
            self._headers += role is Role.HEADER
        elif role is Role.REGION:
            self._open_regions += 1
        counts = (
            len(self.nodes),
            self.characters,
            self._kept_link_characters,
            self._kept_links,
            self._anchors,
        )
        return role, self.kind, counts

    def close(self, frame: Frame) -> None:
        """It ends: link lists and short forms go, captions go behind their image."""
        if self.run:
            self.end_text()
        role, self.kind, start = frame
        if role is Role.GROUP or role is Role.TABLE:
            if self._kept_links - start[3] >= FEW_LINKS and self._anchors == start[4]:
                self._drop_links(start)
        elif role is Role.FIGURE:
            self._order_figure(start[0])
        elif role is Role.ASIDE:
            length, in_links = self.characters - start[1], self._kept_link_characters - start[2]
            if length < SHORT_ASIDE or in_links > FEW_LINKED * length:
                self._back_to(start)
        elif role is Role.FORM:
            if self.characters - start[1] < SHORT_FORM and not self._has_title(start[0]):
                self._back_to(start)
        elif role is Role.HEADER:
            self._headers -= 1
            if not self._headers:
                self._keep_headings(start)
        elif role is Role.REGION:
            self._open_regions -= 1
            if not self._open_regions:
                length = self.characters - start[1]
                self.regions.append(Region(start[0], len(self.nodes), length))

    def _is_menu(self, links: int, in_links: int, length: int) -> bool:
        is_linked = links >= FEW_LINKS and in_links > MOSTLY_LINKS * length
        return is_linked and self._drops_navigation

    def _drop_links(self, start: Counts) -> None:
        links, in_links = self._kept_links - start[3], self._kept_link_characters - start[2]
        if self._is_menu(links, in_links, self.characters - start[1]):
            self._back_to(start)
            if self.nodes and is_heading(self.nodes[-1]):
                self.nodes.pop()

    def _has_title(self, start: int) -> bool:
        return any(map(is_title, self.nodes[start:]))

    def _keep_headings(self, start: Counts) -> None:
        kept = [node for node in self.nodes[start[0] :] if is_heading(node)]
        self._back_to(start)
        for heading in kept:
            self.nodes.append(heading)
            self.characters += len(heading.text)
            self._anchors += heading.kind == "title"

    def _order_figure(self, start: int) -> None:
        if len(self.nodes) - start <= _LONG_FIGURE:
            inside = self.nodes[start:]
            if all(isinstance(node, ImageNode) or node.kind == "caption" for node in inside):
                self.nodes[start:] = sorted(inside, key=lambda node: isinstance(node, TextNode))

    def _back_to(self, start: Counts) -> None:
        del self.nodes[start[0] :]
        (
            _,
            self.characters,
            self._kept_link_characters,
            self._kept_links,
            self._anchors,
        ) = start
        while self.regions and self.regions[-1].start >= start[0]:
            self.regions.pop()


def is_heading(node: Node) -> TypeGuard[TextNode]:
    """Whether it is a heading of any level."""
    return isinstance(node, TextNode) and node.kind in _HEADINGS


def headings_of(nodes: Sequence[Node]) -> list[tuple[int, TextNode]]:
    """Headings of any level, each with the number of its node."""
    return [
        (number, node)
        for number, node in enumerate(nodes)
        if isinstance(node, TextNode) and node.kind in _HEADINGS
    ]


def is_title(node: Node) -> TypeGuard[TextNode]:
    """Whether it is a heading of the first level."""
    return isinstance(node, TextNode) and node.kind == "title"

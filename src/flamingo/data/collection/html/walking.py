"""Walks a page's tree from top to bottom, without recursion, however deep it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from selectolax.lexbor import LexborNode, create_tag

from flamingo.data.collection.html.addresses import Addresses
from flamingo.data.collection.html.boilerplate import Verdict, judge
from flamingo.data.collection.html.composing import Composer, Frame
from flamingo.data.collection.html.tables import read_table
from flamingo.data.collection.html.tags import Reading, Role, Tag
from flamingo.data.collection.html.texts import LINE_BREAK, code_text
from flamingo.data.collection.pages import ImageNode, TextKind

MAX_IMAGES = 10_000
"""Of one page, whether they are kept or not; those after it are passed over."""
Attributes = Mapping[str, str | None]
End: TypeAlias = TextKind | Frame | Literal["link"] | None
"""What ends an element: the kind of texts goes back, a block closes, a link is over, or nothing."""

_TEXT, _COMMENT = 2, 4
"""The numbers that the parser gives to text and to comments, instead of a tag's."""
_PICTURE, _SOURCE = create_tag("picture").tag_id, create_tag("source").tag_id
_HOME = re.compile(
    r"(?:https?:)?//[^/?#]+/?|(?:\.{0,2}/)*(?:(?:index|home|default)\.\w+)?(?:#\w*)?"
)
"""Addresses of a site's first page."""
_NONE_READ: Attributes = MappingProxyType({})
"""Stands for those of an element that is not judged by them."""
_DROPPED = Tag(Role.DROP)
_CAPTION = Tag(Role.BLOCK, "caption")
_AS_TOLD = {
    (Role.GROUP, Verdict.HEADER): Tag(Role.HEADER),
    (Role.GROUP, Verdict.ASIDE): Tag(Role.ASIDE),
    (Role.GROUP, Verdict.MAIN): Tag(Role.REGION),
    (Role.GROUP, Verdict.CAPTION): _CAPTION,
    (Role.BLOCK, Verdict.CAPTION): _CAPTION,
}


class Walker:
    """Reads one tree into a composer.

    Args:
        reading: what the tags mean.
        addresses: resolves those of images.
    """

    def __init__(self, reading: Reading, addresses: Addresses) -> None:
        self.composer = Composer(drops_navigation=reading.drops_navigation)
        self._reading = reading
        self._addresses = addresses
        self._num_images = 0
        self._target: str | None = None
        """Of the link that is open."""

    def walk(self, root: LexborNode) -> None:
        """Visits all that is below `root`, in document order."""
        # One loop with local names: it runs for every node of every page, and what it does for
        # text, inline tags and plain blocks, nearly all there is, costs no call.
        tags, other = self._reading.tags, self._reading.other
        composer, run = self.composer, self.composer.run
        drop, inline, block, group = Role.DROP, Role.INLINE, Role.BLOCK, Role.GROUP
        keep = Verdict.KEEP
        in_link = False
        parents: list[LexborNode] = []
        ends: list[End] = []
        node = root.first_child
        while node is not None:
            number = node.tag_id
            if number == _TEXT:
                if run or not node.is_empty_text_node:
                    piece = node.text_content or ""
                    run.append(piece)
                    if in_link:
                        composer.link_characters += len(piece)
            elif number != _COMMENT:
                tag = tags.get(number, other)
                attributes = _NONE_READ
                if (judges := tag.judges) is not None and (attributes := node.attributes):
                    for name in attributes:
                        if name in judges and judges[name](attributes[name]) is not keep:
                            tag = _told(tag, judge(attributes, judges))
                            break
                role = tag.role
                child: LexborNode | None = None
                end: End = None
                if role is inline:
                    child = node.first_child
                elif role is block:
                    if run:
                        composer.end_text()
                    child = node.first_child
                    if child is not None:
                        end = composer.kind
                        composer.kind = tag.kind or end
                elif role is group:
                    child = node.first_child
                    if child is not None:
                        end = composer.open(role)
                elif role is not drop:
                    child, end = self._enter(node, role, attributes)
                    in_link = in_link or end == "link"
                if child is not None:
                    parents.append(node)
                    ends.append(end)
                    node = child
                    continue
            while (following := node.next) is None and parents:
                node = parents.pop()
                end = ends.pop()
                if end is None:
                    continue
                if end == "link":
                    in_link, self._target = False, None
                elif isinstance(end, str):
                    if run:
                        composer.end_text()
                    composer.kind = end
                else:
                    composer.close(end)
            node = following
        if run:
            composer.end_text()

    def _enter(
        self, node: LexborNode, role: Role, attributes: Attributes
    ) -> tuple[LexborNode | None, End]:
        """Reads an element whole, or gives what to visit below it and what ends it.

        Args:
            node: the element.
            role: what is done at it.
            attributes: its own; those of links and images have been read, since they are judged.
        """
        if role is Role.LINK:
            child, target = node.first_child, attributes.get("href")
            if child is None or target is None:
                return child, None
            self.composer.links += 1
            self._target = target
            return child, "link"
        if role is Role.BREAK:
            self.composer.run.append(LINE_BREAK)
            return None, None
        if role is Role.IMAGE:
            self._read_image(node, attributes)
            return None, None
        if self._is_read_whole(node, role):
            return None, None
        frame = self.composer.open(role)
        child = node.first_child
        if child is None:
            self.composer.close(frame)
        return child, frame

    def _is_read_whole(self, node: LexborNode, role: Role) -> bool:
        """Reads an element that needs no descent; False if it has to be walked after all."""
        if role is Role.NOSCRIPT:
            self._read_noscript(node)
            return True
        if role is Role.TABLE:
            return self._read_table(node)
        return role is Role.CODE and self._read_code(node)

    def _read_image(self, node: LexborNode, attributes: Attributes) -> None:
        self._num_images += 1
        if self._num_images > MAX_IMAGES:
            return
        image = self._reading.image(attributes, self._addresses)
        if image is None and (parent := node.parent) is not None and parent.tag_id == _PICTURE:
            image = self._of_picture(parent, attributes)
        if image is not None and not (self._reading.drops_navigation and self._is_logo()):
            self.composer.add_image(image)

    def _is_logo(self) -> bool:
        """An image above all that is to be read, and that leads to where the site begins."""
        is_home = self._target is not None and _HOME.fullmatch(self._target) is not None
        return is_home and self.composer.is_above_all

    def _of_picture(self, picture: LexborNode, attributes: Attributes) -> ImageNode | None:
        """The first of its sources that has an address, where the `<img>` in it has none."""
        for source in picture.iter():
            if source.tag_id == _SOURCE:
                image = self._reading.image({**source.attributes, **attributes}, self._addresses)
                if image is not None:
                    return image
        return None

    def _read_noscript(self, node: LexborNode) -> None:
        """Images for readers without scripts, unless the one before is what scripts show."""
        if self.composer.run:
            self.composer.end_text()
        nodes = self.composer.nodes
        if not nodes or not isinstance(nodes[-1], ImageNode):
            for image in node.css("img"):
                self._read_image(image, image.attributes)

    def _read_code(self, node: LexborNode) -> bool:
        if node.css_first("img,br,script,style") is not None:
            if node.css_first("img") is not None:
                return False
            for line_break in node.css("br"):
                line_break.replace_with("\n")
            for unseen in node.css("script,style"):
                unseen.decompose()
        self.composer.add_text(code_text(node.text()), "code")
        return True

    def _read_table(self, node: LexborNode) -> bool:
        table = read_table(node)
        if table is None:
            return False
        self.composer.add_text(table.caption, "caption")
        self.composer.add_text(table.text, "table", links=table.links, in_links=table.in_links)
        return True


def _told(tag: Tag, verdict: Verdict) -> Tag:
    """How an element is read whose attributes say more than its name."""
    return _DROPPED if verdict is Verdict.DROP else _AS_TOLD.get((tag.role, verdict), tag)

"""What each HTML tag means for reading, and the two ways to read a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Literal

from selectolax.lexbor import create_tag

from flamingo.data.collection.html import boilerplate, images, obelics
from flamingo.data.collection.html.addresses import Addresses
from flamingo.data.collection.html.boilerplate import Judge
from flamingo.data.collection.html.texts import word_set
from flamingo.data.collection.pages import ImageNode, TextKind

Profile = Literal["main", "obelics"]


class Role(Enum):
    """What is done at a tag."""

    DROP = "drop"
    INLINE = "inline"
    BLOCK = "block"
    GROUP = "group"
    """A block that goes if it is little more than links."""
    HEADER = "header"
    """A group of which only headings stay, unless it is within the main part."""
    FIGURE = "figure"
    FORM = "form"
    REGION = "region"
    """Main content, if there is one of it."""
    ASIDE = "aside"
    """A group that stays only if it is prose with few links."""
    LINK = "link"
    BREAK = "break"
    IMAGE = "image"
    CODE = "code"
    TABLE = "table"
    NOSCRIPT = "noscript"


@dataclass(frozen=True, slots=True)
class Tag:
    """How elements of one name are read.

    Attributes:
        role: what is done at it.
        kind: of the texts in it; None leaves that of what it is in.
        judges: of its attributes, which may tell that it is boilerplate; None if none is asked.
    """

    role: Role
    kind: TextKind | None = None
    judges: Mapping[str, Judge] | None = None


@dataclass(frozen=True)
class Reading:
    """One way to read pages.

    Attributes:
        tags: by the number that the parser gives to a name.
        other: how elements of all other names are read.
        image: finds the file that an image shows.
        drops_navigation: whether parts that are little more than links go, and logos above all.
        drops_dates: whether text right in a `<div>` whose class has "date" in it goes.
    """

    tags: Mapping[int, Tag]
    other: Tag
    image: Callable[[Mapping[str, str | None], Addresses], ImageNode | None]
    drops_navigation: bool = False
    drops_dates: bool = False


_FORMATTING = (
    "abbr acronym b bdi bdo big cite code data dfn em font i ins kbd mark q s samp small strike "
    "strong sub sup time tt u var"
)
_HEADINGS = "h1 h2 h3 h4 h5 h6"
_KINDS: dict[str, TextKind] = {
    "h1": "title",
    **dict.fromkeys(("h2", "h3", "h4", "h5", "h6"), "heading"),
    **dict.fromkeys(("li", "dt", "dd"), "item"),
    **dict.fromkeys(("figcaption", "caption"), "caption"),
}
_ROLES = {
    Role.DROP: "audio button canvas datalist dialog embed footer frame frameset head iframe input "
    "link map math meta meter nav noembed noframes object optgroup option output progress rp rt "
    "script select source style svg template textarea title track video wbr",
    Role.INLINE: f"label picture span {_FORMATTING}",
    Role.BLOCK: "address blockquote body caption dd details dt fieldset figcaption hgroup hr html "
    f"legend li p search summary tbody td tfoot th thead tr {_HEADINGS}",
    Role.GROUP: "center dir div dl menu ol section ul",
    Role.REGION: "article main",
    Role.CODE: "listing plaintext pre xmp",
    Role.LINK: "a",
    Role.ASIDE: "aside",
    Role.BREAK: "br",
    Role.FIGURE: "figure",
    Role.FORM: "form",
    Role.HEADER: "header",
    Role.IMAGE: "img",
    Role.NOSCRIPT: "noscript",
    Role.TABLE: "table",
}
_JUDGED_BY_CLASS = word_set(
    f"a details figcaption form img li picture pre section span td {_HEADINGS}"
)
_JUDGED_BY_NAME = word_set("address aside center dir div dl figure header menu ol p table ul")
_OBELICS_BLOCKS = (
    "address article aside blink blockquote body caption center dd dl dt figcaption figure hgroup "
    f"html legend main marquee ol p section summary ul {_HEADINGS}"
)


@cache
def reading_of(profile: Profile, *, is_lenient: bool = False) -> Reading:
    """The way to read that a profile names.

    Args:
        profile: "main" is ours: lists, tables and code are text, link lists go. "obelics" has the
            DOM rules of OBELICS, where list items, tables, code, headers and forms vanish.
        is_lenient: without the rules that go by names of classes and ids.
    """
    if profile == "obelics":
        return _obelics()
    tags = {
        name: Tag(role, _KINDS.get(name), _judges_of(name, is_lenient))
        for role, names in _ROLES.items()
        for name in names.split()
    }
    return Reading(_numbered(tags), Tag(Role.INLINE), images.image_node, drops_navigation=True)


def _judges_of(name: str, is_lenient: bool) -> Mapping[str, Judge] | None:
    if name in _JUDGED_BY_NAME:
        return boilerplate.BY_ROLE if is_lenient else boilerplate.BY_NAME
    if name in _JUDGED_BY_CLASS:
        return boilerplate.BY_ROLE if is_lenient else boilerplate.BY_CLASS
    return None


def _obelics() -> Reading:
    """Inline tags are unwrapped, blocks kept; all others go with what is in them."""
    judges = obelics.BY_CLASS
    inline = word_set(f"a picture span {_FORMATTING}")
    tags = {name: Tag(Role.INLINE, None, judges) for name in inline}
    for name in word_set(_OBELICS_BLOCKS):
        tags[name] = Tag(Role.BLOCK, _KINDS.get(name), judges)
    tags["div"] = Tag(Role.BLOCK, None, obelics.OF_DIV)
    tags["img"] = Tag(Role.IMAGE, None, judges)
    tags["br"] = Tag(Role.BREAK)
    return Reading(_numbered(tags), Tag(Role.DROP), obelics.image_node, drops_dates=True)


def _numbered(tags: dict[str, Tag]) -> dict[int, Tag]:
    return {create_tag(name).tag_id: tag for name, tag in tags.items()}

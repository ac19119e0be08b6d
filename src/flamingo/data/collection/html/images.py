"""Which file an `<img>` shows: lazy loading, stand-ins, sizes, and icons that are no content."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from flamingo.data.collection.html.addresses import Addresses
from flamingo.data.collection.html.boilerplate import words_of
from flamingo.data.collection.html.srcset import Candidate, choose, parse_srcset
from flamingo.data.collection.html.texts import single_spaced, word_set
from flamingo.data.collection.pages import ImageNode

Attributes = Mapping[str, str | None]

LAZY_SOURCES = (
    "data-src",
    "data-original",
    "data-lazy-src",
    "data-lazy",
    "data-src-fg",
    "data-scroll-image",
    "data-lateloadsrc",
    "data-img-src",
    "data-gt-lazy-src",
    "data-original-src",
    "data-hi-res-src",
    "data-full-src",
    "data-echo",
    "data-url",
    "data-image",
    "src2",
)
"""Where scripts that load images late keep the address; OBELICS looks at ten of these."""
SETS = ("data-srcset", "data-lazy-srcset", "data-original-set", "srcset")
_OTHER_SOURCES = frozenset((*LAZY_SOURCES, *SETS))
MAX_SIDE = 100_000
SMALLEST_SIDE = 2
"""An image shown with a side not longer than this counts visitors or holds a place."""
MAX_ALT = 2_000
STAND_INS = word_set("blank spacer placeholder loading loader pixel transparent lazy x")
ICONS = word_set(
    "prev previous next home up top back forward index toc note tip warning caution important "
    "info information danger hint logo favicon icon icons button bullet spacer blank pixel "
    "transparent placeholder loading loader spinner arrow divider separator search menu close "
    "print rss feed github facebook twitter linkedin instagram youtube pinterest whatsapp email "
    "mail share permalink"
)
"""An image named with nothing but these words, and those that go with them, is no content."""
WITH_ICONS = word_set("left right down small large mark page link external px x the to of")
_SIZES = frozenset(("width", "height", "style"))
_LENGTH = re.compile(r"\s*(\d{1,6})(?:\.\d*)?\s*(?:px)?\s*", re.IGNORECASE)
_STYLE_SIDE = re.compile(r"(?<![\w-])(width|height)\s*:\s*(\d{1,6})(?:\.\d*)?px", re.IGNORECASE)


def image_node(attributes: Attributes, addresses: Addresses) -> ImageNode | None:
    """The image, or None where the tag shows none that belongs to the text."""
    width, height = shown_sides(attributes)
    if (width is not None and width <= SMALLEST_SIDE) or (
        height is not None and height <= SMALLEST_SIDE
    ):
        return None
    alt = single_spaced((attributes.get("alt") or "")[:MAX_ALT])
    if alt == attributes.get("src"):  # as some generators of pages fill it
        alt = ""
    for reference in _references(attributes, width):
        address = addresses(reference)
        if address is not None:
            return None if is_icon(address, alt) else ImageNode(address, alt, width, height)
    return None


@lru_cache(maxsize=16_384)
def is_icon(address: str, alt: str) -> bool:
    """Whether name and alternative text have no other words than those of icons.

    >>> is_icon("images/next.png", "Next"), is_icon("images/home.jpg", "Our home in 1920")
    (True, False)
    """
    if address.startswith("data:"):
        return False
    told = words_of(alt[:200])
    # "GitHub-Mark" is two words of icons only in lower case, "nextPage" only as it is.
    names = (words_of(_stem(address)), words_of(_stem(address).lower()))
    return any(
        not ICONS.isdisjoint(name) and (ICONS | WITH_ICONS).issuperset(name + told)
        for name in names
    )


def _references(attributes: Attributes, width: int | None) -> list[str]:
    """Addresses as written, the likeliest first."""
    source = attributes.get("src") or ""
    sources = [] if not source or _stands_in(source) else [source]
    if _OTHER_SOURCES.isdisjoint(attributes):
        return sources
    found: list[str] = []
    for name in SETS:
        value = attributes.get(name)
        if value:
            candidates = [one for one in parse_srcset(value) if not _stands_in(one.address)]
            if all(one.width is None for one in candidates):
                candidates += map(Candidate, sources)
            chosen = choose(candidates, width)
            if chosen:
                found.append(chosen)
    found += [value for name in LAZY_SOURCES if (value := attributes.get(name))]
    return found + sources


@lru_cache(maxsize=16_384)
def _stands_in(reference: str) -> bool:
    """Whether an address is that of an empty image that a script will replace."""
    if reference.startswith("data:"):
        return False
    name = words_of(_stem(reference))
    return bool(name) and STAND_INS.issuperset(name)


def _stem(address: str) -> str:
    name = re.split("[?#]", address, maxsplit=1)[0].rsplit("/", 1)[-1]
    return name[:200].rsplit(".", 1)[0]


def shown_sides(attributes: Attributes) -> tuple[int | None, int | None]:
    """Width and height as shown, in pixels; a style beats an attribute."""
    if _SIZES.isdisjoint(attributes):
        return None, None
    sides = {"width": _length(attributes.get("width")), "height": _length(attributes.get("height"))}
    style = attributes.get("style")
    if style:
        for name, number in _STYLE_SIDE.findall(style[:2_000]):
            sides[name.lower()] = min(int(number), MAX_SIDE)
    return sides["width"], sides["height"]


def _length(value: str | None) -> int | None:
    found = _LENGTH.fullmatch(value) if value else None
    return min(int(found.group(1)), MAX_SIDE) if found else None

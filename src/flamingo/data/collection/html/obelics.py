"""The parts of OBELICS' rules for the DOM that look at attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from selectolax.lexbor import LexborHTMLParser

from flamingo.data.collection.html.addresses import Addresses
from flamingo.data.collection.html.boilerplate import Judge, Verdict
from flamingo.data.collection.html.images import MAX_ALT, shown_sides
from flamingo.data.collection.html.texts import single_spaced
from flamingo.data.collection.pages import ImageNode

NAMES = frozenset(("footer", "header", "navigation", "nav", "navbar", "menu"))
DROPPED_CLASSES = frozenset(("footer", "site-info", "more-link"))
"""At "more-link" OBELICS begins a new document; here the element goes, and the page goes on."""
SOURCES = (
    "src",
    "data-src",
    "data-src-fg",
    "data-scroll-image",
    "srcset",
    "data-lateloadsrc",
    "data-img-src",
    "data-original",
    "data-gt-lazy-src",
    "data-lazy",
    "data-lazy-src",
    "src2",
)


def drop_dates(tree: LexborHTMLParser) -> None:
    """Takes out text that is right in a `<div>` whose class has "date" in it."""
    for div in tree.css('div[class*="date"]'):
        for child in list(div.iter(include_text=True)):
            if child.is_text_node:
                child.decompose()


def _judge_class(classes: str | None) -> Verdict:
    is_dropped = not DROPPED_CLASSES.isdisjoint((classes or "").split())
    return Verdict.DROP if is_dropped else Verdict.KEEP


def _judge_name(name: str | None) -> Verdict:
    return Verdict.DROP if name in NAMES else Verdict.KEEP


def _judge_class_of_div(classes: str | None) -> Verdict:
    verdict = _judge_class(classes)
    return _judge_name(classes) if verdict is Verdict.KEEP else verdict


BY_CLASS: Mapping[str, Judge] = {"class": _judge_class}
OF_DIV: Mapping[str, Judge] = {
    "class": _judge_class_of_div,
    "id": _judge_name,
    "title": _judge_name,
}


def image_node(attributes: Mapping[str, str | None], addresses: Addresses) -> ImageNode | None:
    """The image by the first attribute with an address that has no comma and no space."""
    for name in SOURCES:
        reference = (attributes.get(name) or "").strip()
        if reference and not re.search(r"[,\s]", reference):
            address = addresses(reference)
            if address is not None:
                alt = single_spaced((attributes.get("alt") or "")[:MAX_ALT])
                return ImageNode(address, alt, *shown_sides(attributes))
    return None

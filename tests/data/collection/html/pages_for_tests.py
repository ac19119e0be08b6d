"""Small pages, and what was read of them, easy to compare."""

from __future__ import annotations

from flamingo.data.collection.html import read_page
from flamingo.data.collection.html.tags import Profile
from flamingo.data.collection.pages import Page, RawPage, TextNode

PROSE = "The plough was pulled across the field by a rope between two engines. " * 6
"""Enough text for a page to be read once only."""


def read(html: str, profile: Profile = "main", address: str = "page.html") -> Page:
    """The page, read from its UTF-8."""
    return read_page(RawPage(address, html.encode()), profile)


def outline(html: str, profile: Profile = "main") -> list[tuple[str, str]]:
    """Kind and text of each node, "image" and address of images; the prose is left out."""
    return [
        (node.kind, node.text) if isinstance(node, TextNode) else ("image", node.address)
        for node in read(html + f"<p>{PROSE}</p>", profile).nodes
        if not isinstance(node, TextNode) or node.text != PROSE.strip()
    ]


def texts(html: str, profile: Profile = "main") -> list[str]:
    """The texts and addresses alone."""
    return [text for _, text in outline(html, profile)]

"""Reads a web page: from its bytes to texts and images in the order of the document."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser

from flamingo.data.collection.html.addresses import Addresses
from flamingo.data.collection.html.bounds import MAX_BYTES, within_bounds
from flamingo.data.collection.html.composing import Composer, headings_of, is_title
from flamingo.data.collection.html.encodings import as_utf8
from flamingo.data.collection.html.head import Head, read_head
from flamingo.data.collection.html.obelics import drop_dates
from flamingo.data.collection.html.tags import Profile, Reading, reading_of
from flamingo.data.collection.html.walking import Walker
from flamingo.data.collection.pages import Node, Page, RawPage, TextNode
from flamingo.foundation.errors import DataError

FEW_CHARACTERS = 250
"""A page that gives less text than this is read again, with less trust in its markup."""
MUCH_MORE = 4
"""What another reading must find more of, as a factor, to be believed."""
MAIN_SHARE = 0.5
"""Share of all text from which what a page marks as its main part is all that is kept."""
_CLOSED_AT_ONCE = re.compile(
    rb"<(a|audio|button|canvas|dialog|iframe|noembed|noframes|object|script|select|style|template|"
    rb"textarea|title|video|xmp)\b[^<>]*/>",
    re.IGNORECASE,
)
"""As XHTML has it; to an HTML parser, all that follows belongs to such a tag."""
_BINARY = (b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"\x1f\x8b", b"\x7fELF")
_ADDRESS_SHOWN = 120


def read_page(raw: RawPage, profile: Profile = "main") -> Page:
    """The page's own texts and images, in document order, without menus, banners and the like.

    Args:
        raw: the page as it was found. No more than `MAX_BYTES` of it are read.
        profile: "main" keeps lists, tables and code as text and drops link lists; "obelics"
            has the DOM rules of OBELICS, under which list items, tables and code vanish.

    Raises:
        DataError: there is nothing to read in it.

    Paper: App. A.3 (texts and images by their place in the DOM, titles kept).
    """
    content = raw.content[:MAX_BYTES]
    if content.startswith(_BINARY):
        raise _nothing(raw, f"it begins as a binary file, {content[:8]!r}")
    html = within_bounds(as_utf8(content, raw.encoding))
    composer, head = _read(html, raw, reading_of(profile))
    if profile == "main" and composer.characters < FEW_CHARACTERS:
        composer, head = _read_again(html, raw, composer, head)
    nodes = _main_part(composer)
    title, nodes = _titled(nodes, head)
    if not nodes:
        raise _nothing(raw, f"{len(raw.content):,} bytes hold no text and no image to keep")
    return Page(raw.address, title, tuple(nodes), head.language, head.license, raw.date)


def _read(html: bytes, raw: RawPage, reading: Reading) -> tuple[Composer, Head]:
    tree = LexborHTMLParser(html)
    head = read_head(tree, has_license=b"license" in html)
    if reading.drops_dates:
        drop_dates(tree)
    walker = Walker(reading, Addresses(raw.base or raw.address, head.base))
    if tree.body is not None:
        walker.walk(tree.body)
    return walker.composer, head


def _read_again(html: bytes, raw: RawPage, first: Composer, head: Head) -> tuple[Composer, Head]:
    """Where little was found: without tags that swallow what follows, then by fewer rules."""
    repaired = _CLOSED_AT_ONCE.sub(rb"<\1></\1>", html)
    for is_lenient in (False, True):
        if is_lenient or repaired != html:
            found = _read(repaired, raw, reading_of("main", is_lenient=is_lenient))
            if found[0].characters > max(FEW_CHARACTERS, MUCH_MORE * first.characters):
                return found
    return first, head


def _main_part(composer: Composer) -> list[Node]:
    """What is in the one `<main>`, or the one outermost `<article>`, if it is most of the page."""
    regions = composer.regions
    if len(regions) != 1 or regions[0].characters <= MAIN_SHARE * composer.characters:
        return composer.nodes
    inside = composer.nodes[regions[0].start : regions[0].end]
    if any(is_title(node) for node in inside):
        return inside
    before = composer.nodes[: regions[0].start]
    return [node for node in before if is_title(node)][-1:] + inside


def _titled(nodes: list[Node], head: Head) -> tuple[str, list[Node]]:
    """The page's title, and its nodes with one title among them at most.

    The first-level heading is the title if the page has one and names itself so, or has one only;
    else what the page gives to be shown elsewhere. A heading with the same words is the title.
    """
    headings = headings_of(nodes)
    first_level = [heading.text for _, heading in headings if heading.kind == "title"]
    named = [title.casefold() for title in head.titles]
    agreeing = [text for text in first_level if any(text.casefold() in name for name in named)]
    if agreeing:
        title = agreeing[0]
    elif len(first_level) == 1 or (first_level and not named):
        title = first_level[0]
    else:
        title = head.titles[0] if head.titles else ""
    titled, is_found = list(nodes), False
    for number, heading in headings:
        is_shown = not is_found and heading.text.casefold() == title.casefold()
        is_found = is_found or is_shown
        titled[number] = TextNode(heading.text, "title" if is_shown else "heading")
    return title, titled


def _nothing(raw: RawPage, why: str) -> DataError:
    return DataError(
        f"nothing to read in {raw.address[:_ADDRESS_SHOWN]}: {why}.\n"
        "Leave the page out, or see whether its text is only there once scripts have run."
    )

"""Taking images, texts or the whole page out, with the reason for each."""

from __future__ import annotations

from collections.abc import Callable, Collection

from flamingo.data.collection.pages import (
    ImageNode,
    Node,
    Outcome,
    Page,
    Removal,
    TextKind,
    TextNode,
)

EXAMPLE_LENGTH = 200
"""Characters that an example keeps."""


def page_out(page: Page, reason: str) -> Outcome:
    """The page as a whole is out."""
    return Outcome(None, (Removal("page", reason, shortened(page.address)),))


def without_images(page: Page, reason_against: Callable[[ImageNode], str | None]) -> Outcome:
    """The page without those images that there is a reason against.

    Args:
        page: the page; it comes back as it is if there is none.
        reason_against: None if the image may stay.
    """
    kept: list[Node] = []
    removals = []
    for node in page.nodes:
        if isinstance(node, ImageNode) and (reason := reason_against(node)) is not None:
            removals.append(Removal("image", reason, shortened(node.address)))
        else:
            kept.append(node)
    return _outcome(page, kept, removals)


def without_texts(
    page: Page,
    reason_against: Callable[[TextNode], str | None],
    exempt: Collection[TextKind] = (),
) -> Outcome:
    """The page without those texts that there is a reason against.

    Args:
        page: the page; it comes back as it is if there is none.
        reason_against: None if the text may stay.
        exempt: kinds of text that stay in any case.
    """
    kept: list[Node] = []
    removals = []
    for node in page.nodes:
        if (
            isinstance(node, TextNode)
            and node.kind not in exempt
            and (reason := reason_against(node)) is not None
        ):
            removals.append(Removal("text", reason, shortened(node.text)))
        else:
            kept.append(node)
    return _outcome(page, kept, removals)


def shortened(text: str) -> str:
    """The beginning of a text on one line, of characters that any terminal and file can take."""
    beginning = " ".join(text[: 2 * EXAMPLE_LENGTH].split())
    is_cut = len(beginning) > EXAMPLE_LENGTH or len(text) > 2 * EXAMPLE_LENGTH
    clean = beginning[:EXAMPLE_LENGTH]
    if not clean.isprintable():
        clean = "".join(sign if sign.isprintable() else "�" for sign in clean)
    return f"{clean}…" if is_cut else clean


def percent(share: float) -> str:
    """A share for a reason: one decimal, so that a share next to its limit can be told from it."""
    return f"{100 * share:.1f}%"


def _outcome(page: Page, kept: list[Node], removals: list[Removal]) -> Outcome:
    return Outcome(page.with_nodes(tuple(kept)), tuple(removals)) if removals else Outcome(page)

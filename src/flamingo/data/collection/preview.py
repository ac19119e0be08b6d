"""Documents as a model will see them, kept and dropped, as one page to look at."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

import jinja2
from PIL import Image

from flamingo.data.collection.pages import ImageNode, Page, Removal
from flamingo.data.datasets.pages import BETWEEN_TEXTS
from flamingo.sequence import Interleaved, Markup, Visual, mark_up
from flamingo.sequence.markup import PieceKind

MARKUP = Markup(bos="<BOS>", eos="<EOS>")
_TAGS = {PieceKind.BOS: MARKUP.bos, PieceKind.EOC: MARKUP.eoc, PieceKind.EOS: MARKUP.eos}
_COLORS = 8
"""Of visuals, in turn; the template has as many."""


@dataclass(frozen=True)
class Looked:
    """A page, what was taken out of it, and what is left.

    Attributes:
        address: of the page.
        page: what is left; None if the page is out.
        before: the page as it was read; None if it could not be.
        removals: by the name of the step, what it took out.
    """

    address: str
    page: Page | None
    before: Page | None
    removals: Sequence[tuple[str, Removal]]


@dataclass(frozen=True)
class Shown:
    """A piece of a sequence.

    Attributes:
        kind: as `PieceKind` has it.
        text: a run of text, or a tag.
        phi: the visual that its tokens see, from 1; 0 for none.
        color: of that visual.
        picture: the visual itself as a data: URL, at its tag.
        alt: its alternative text.
    """

    kind: str
    text: str
    phi: int
    color: int
    picture: str = ""
    alt: str = ""


def preview_html(title: str, looked: Sequence[Looked]) -> str:
    """The page, which needs nothing from elsewhere."""
    template = files("flamingo.data.collection").joinpath("preview.html.j2").read_text("utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(template).render(
        title=title,
        kept=[(one, shown(one.page)) for one in looked if one.page is not None],
        dropped=[
            (one, shown(one.before) if one.before is not None else [])
            for one in looked
            if one.page is None
        ],
    )


def shown(page: Page) -> list[Shown]:
    """A page as the sequence that a model reads, with φ for each piece of it."""
    return [*_pieces(page)]


def _pieces(page: Page) -> Iterator[Shown]:
    parts: list[str | Visual] = []
    for node in page.nodes:
        if isinstance(node, ImageNode):
            parts.append(_stand_in(node))
            continue
        if parts and isinstance(parts[-1], str):
            parts.append(BETWEEN_TEXTS)
        parts.append(node.text)
    document = Interleaved(tuple(parts))
    images = iter(page.images)
    phi = 0
    # Texts of a page may hold anything, tags among it: here they are shown and not read.
    for piece in mark_up(document, _harmless(page), is_complete=True).pieces:
        if piece.kind is not PieceKind.IMAGE:
            text = _TAGS.get(piece.kind, piece.text)
            yield Shown(piece.kind.value, text, phi, phi % _COLORS)
            continue
        phi += 1
        node = next(images)
        yield Shown(piece.kind.value, MARKUP.image, phi, phi % _COLORS, _picture(node), node.alt)


def _harmless(page: Page) -> Markup:
    """The markup; with other tags, where the page's text has those in it."""
    text = " ".join(node.text for node in page.texts)
    return Markup("\0bos", "\0eos", "\0image", "\0eoc") if _has_tag(text) else MARKUP


def _has_tag(text: str) -> bool:
    return any(tag in text for tag in MARKUP.tags)


def _stand_in(node: ImageNode) -> Visual:
    if node.image is None:
        return Visual.from_image(Image.new("RGB", (1, 1)))
    return Visual.from_image(node.image.thumbnail)


def _picture(node: ImageNode) -> str:
    if node.image is None:
        return ""
    file = io.BytesIO()
    Image.fromarray(node.image.thumbnail).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"

"""From a document to the sequence the model reads: `<BOS>text<EOC><image>text<EOC><EOS>`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from flamingo.foundation.errors import SequenceError
from flamingo.sequence.interleaved import EndOfChunk, Interleaved, Part
from flamingo.sequence.visual import Visual


@dataclass(frozen=True)
class Markup:
    """How the tags are written, and where.

    Args:
        bos: begins each sequence; empty where sequences begin with nothing.
        eos: ends each complete sequence.
        image: stands where an image or a video is.
        eoc: ends the text that belongs to a visual; the model stops there.
        around_image: stands on both sides of each image tag, once between two in a row.
        after_eoc: follows on each `END_OF_CHUNK`, as the line break between examples.
        is_eoc_text: whether `eoc` is ordinary text, such as a line break, that texts may contain.
        closes_before_visuals: whether a visual ends the text before it. Else a chunk ends at an
            `END_OF_CHUNK` or with the document, and text may stand before the visual it is about.
    """

    bos: str
    eos: str
    image: str = "<image>"
    eoc: str = "<EOC>"
    around_image: str = ""
    after_eoc: str = ""
    is_eoc_text: bool = False
    closes_before_visuals: bool = True

    @property
    def tags(self) -> tuple[str, ...]:
        """All tags that texts must not contain, each once, without those that are empty."""
        eoc = "" if self.is_eoc_text else self.eoc
        tags = (self.image, self.around_image, eoc, self.bos, self.eos)
        return tuple(dict.fromkeys(tag for tag in tags if tag))


class PieceKind(Enum):
    """What a piece of a marked-up sequence is."""

    BOS = "bos"
    TEXT = "text"
    IMAGE = "image"
    AROUND_IMAGE = "around image"
    EOC = "eoc"
    AFTER_EOC = "after eoc"
    EOS = "eos"


@dataclass(frozen=True)
class Piece:
    """A run of text, or one tag."""

    kind: PieceKind
    text: str


@dataclass(frozen=True)
class MarkedUp:
    """A document with its tags, and the visuals that its image tags stand for."""

    pieces: tuple[Piece, ...]
    visuals: tuple[Visual, ...]

    @property
    def text(self) -> str:
        """The sequence as one string."""
        return "".join(piece.text for piece in self.pieces)


def mark_up(
    document: Interleaved, markup: Markup, *, is_complete: bool, is_beginning: bool = True
) -> MarkedUp:
    """Puts the tags into a document.

    `<EOC>` comes before each visual and at the end, wherever text stands open; so visuals in a
    row have none between them, and a pair is `<BOS><image>caption<EOC><EOS>`.

    Args:
        document: what to mark up.
        markup: how the tags are written.
        is_complete: whether the sequence is closed by `<EOC><EOS>`; a prompt is left open for
            the model to continue.
        is_beginning: whether it begins with `<BOS>`; not where it follows on closed chunks.

    Raises:
        SequenceError: the document's own text contains a tag.

    Paper: Sec. 2.4, App. A.3, Fig. 7.
    """
    _refuse_tags_in_text(document, markup)
    begin = [Piece(PieceKind.BOS, markup.bos)] if is_beginning and markup.bos else []
    return MarkedUp((*begin, *_pieces(document, markup, is_complete)), document.visuals)


def _pieces(document: Interleaved, markup: Markup, is_complete: bool) -> Iterator[Piece]:
    end_of_chunk = Piece(PieceKind.EOC, markup.eoc)
    is_text_open = False
    before: Part | None = None
    for part in document.parts:
        if isinstance(part, str):
            yield Piece(PieceKind.TEXT, part)
            is_text_open = True
        elif isinstance(part, Visual):
            if is_text_open and markup.closes_before_visuals:
                yield end_of_chunk
                is_text_open = False
            yield from _image(markup, is_next_in_row=isinstance(before, Visual))
        elif is_text_open:
            yield end_of_chunk
            is_text_open = False
            if part is EndOfChunk.END and markup.after_eoc:
                yield Piece(PieceKind.AFTER_EOC, markup.after_eoc)
        before = part
    if is_complete:
        if is_text_open:
            yield end_of_chunk
        yield Piece(PieceKind.EOS, markup.eos)


def _image(markup: Markup, *, is_next_in_row: bool) -> Iterator[Piece]:
    around = Piece(PieceKind.AROUND_IMAGE, markup.around_image)
    if markup.around_image and not is_next_in_row:
        yield around
    yield Piece(PieceKind.IMAGE, markup.image)
    if markup.around_image:
        yield around


def _refuse_tags_in_text(document: Interleaved, markup: Markup) -> None:
    for part in document.parts:
        if not isinstance(part, str):
            continue
        for tag in markup.tags:
            if tag in part:
                raise SequenceError(
                    f"the text contains the tag {tag} itself.\n"
                    "Tags are put in for you, where visuals stand and chunks end; a tag in the "
                    "text would be read as one without meaning it.\n"
                    f'Text: "{part[:200]}"   Remove it, or use `Interleaved.from_tagged` where '
                    "each image tag stands for a visual."
                )

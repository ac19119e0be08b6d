"""From a document to the sequence the model reads: `<BOS>text<EOC><image>text<EOC><EOS>`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from flamingo.foundation.errors import SequenceError
from flamingo.sequence.interleaved import Interleaved
from flamingo.sequence.visual import Visual


@dataclass(frozen=True)
class Markup:
    """How the four tags are written.

    Args:
        bos: begins each sequence.
        eos: ends each complete sequence.
        image: stands where an image or a video is.
        eoc: ends the text that belongs to a visual; the model stops there.
    """

    bos: str
    eos: str
    image: str = "<image>"
    eoc: str = "<EOC>"

    @property
    def tags(self) -> tuple[str, ...]:
        """All tags, each once, without those that are empty."""
        return tuple(dict.fromkeys(t for t in (self.image, self.eoc, self.bos, self.eos) if t))


class PieceKind(Enum):
    """What a piece of a marked-up sequence is."""

    BOS = "bos"
    TEXT = "text"
    IMAGE = "image"
    EOC = "eoc"
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
    pieces = tuple(_pieces(document, markup, is_complete))
    return MarkedUp(pieces if is_beginning else pieces[1:], document.visuals)


def _pieces(document: Interleaved, markup: Markup, is_complete: bool) -> Iterator[Piece]:
    end_of_chunk = Piece(PieceKind.EOC, markup.eoc)
    yield Piece(PieceKind.BOS, markup.bos)
    is_text_open = False
    for part in document.parts:
        if isinstance(part, str):
            yield Piece(PieceKind.TEXT, part)
            is_text_open = True
            continue
        if is_text_open:
            yield end_of_chunk
            is_text_open = False
        if isinstance(part, Visual):
            yield Piece(PieceKind.IMAGE, markup.image)
    if is_complete:
        if is_text_open:
            yield end_of_chunk
        yield Piece(PieceKind.EOS, markup.eos)


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

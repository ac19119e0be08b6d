"""From a document to token ids, with φ computed once, from the document's own structure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flamingo.data.features import VisualFeatures
from flamingo.data.tokenizer import PreparedTokenizer
from flamingo.data.whole_text import whole_tokens
from flamingo.foundation.errors import SequenceError
from flamingo.sequence import (
    Interleaved,
    Piece,
    PieceKind,
    Sees,
    Visual,
    mark_up,
    visual_index,
)

_NOT_PREDICTED = (PieceKind.BOS, PieceKind.IMAGE, PieceKind.AROUND_IMAGE)
_BEFORE_AN_ANSWER = ":"
"""Stands for the prompt before an answer."""


@dataclass(frozen=True)
class Encoded:
    """One sequence, ready to be batched.

    Args:
        token_ids: the text with its tags.
        visual_index: per token, which of `visuals` it may look at, from 1; 0 for none.
        visuals: the images and videos that the tags stand for, or their precomputed features.
        loss_weights: per token, how much its prediction counts: 0 for `<BOS>`, for image tags and
            for what stands around them.
    """

    token_ids: list[int]
    visual_index: list[int]
    visuals: tuple[Visual | VisualFeatures, ...]
    loss_weights: list[float]

    def __len__(self) -> int:
        return len(self.token_ids)


class Encoder:
    """Turns documents into token ids, φ and loss weights.

    Args:
        prepared: a tokenizer that knows the tags.
        max_tokens: longer sequences lose text at their end, never a visual; none if not given.

    Example:
        encoder = Encoder(prepare_tokenizer(tokenizer))
        encoded = encoder(Interleaved.of(visual, "A cat."), is_complete=True)
    """

    def __init__(self, prepared: PreparedTokenizer, *, max_tokens: int | None = None) -> None:
        self.prepared = prepared
        self.max_tokens = max_tokens

    def __call__(
        self,
        document: Interleaved,
        *,
        is_complete: bool,
        sees: Sees = "previous",
        is_beginning: bool = True,
    ) -> Encoded:
        """Encodes one document.

        Args:
            document: what to encode.
            is_complete: whether it is closed by `<EOC><EOS>`; a prompt is left open.
            sees: whether text looks at the visual before it or after it.
            is_beginning: whether it begins with `<BOS>`; not where it follows on closed chunks.

        Raises:
            SequenceError: the text contains a tag, a visual lies behind `max_tokens`, or there is
                no token at all.
        """
        marked = mark_up(
            document, self.prepared.markup, is_complete=is_complete, is_beginning=is_beginning
        )
        ids: list[int] = []
        tag_numbers: list[int] = []
        weights: list[float] = []
        number = 0
        for kind, tokens in self._tokens(marked.pieces, is_beginning):
            is_tag = kind is PieceKind.IMAGE
            number += is_tag
            ids += tokens
            tag_numbers += [number if is_tag else 0] * len(tokens)
            weights += [float(kind not in _NOT_PREDICTED)] * len(tokens)
        if not ids and is_beginning:
            raise SequenceError(
                "the document is empty, and sequences of this model begin with no token of their "
                "own.\nA model cannot read nothing. Give it text or a visual."
            )
        index = visual_index(tag_numbers, sees=sees)
        return self._limited(Encoded(ids, index, marked.visuals, weights), tag_numbers)

    def continuation(self, text: str) -> list[int]:
        """The ids of text behind the text of an open prompt, such as a candidate answer."""
        if self.prepared.marks_beginnings:
            return self.prepared.tokens_behind(_BEFORE_AN_ANSWER, [text])[0]
        return self.prepared.tokens([text])[0]

    def _tokens(
        self, pieces: tuple[Piece, ...], is_beginning: bool
    ) -> Iterator[tuple[PieceKind, list[int]]]:
        """The ids with what they stand for."""
        if self.prepared.whole_text:
            yield from whole_tokens(self.prepared, pieces, is_beginning=is_beginning)
        else:
            yield from self._apart(pieces)

    def _apart(self, pieces: tuple[Piece, ...]) -> Iterator[tuple[PieceKind, list[int]]]:
        """Each piece with its ids; texts are tokenized apart, so that no tag can merge with one."""
        ids = self.prepared.ids
        tags = {
            PieceKind.BOS: ids.bos,
            PieceKind.EOS: ids.eos,
            PieceKind.EOC: ids.eoc,
            PieceKind.AROUND_IMAGE: ids.around_image,
        }
        known = {kind: [token] for kind, token in tags.items() if token is not None}
        known[PieceKind.IMAGE] = list(ids.image)
        texts = [piece.text for piece in pieces if piece.kind not in known]
        tokenized = iter(self.prepared.tokens(texts))
        for piece in pieces:
            yield piece.kind, known[piece.kind] if piece.kind in known else next(tokenized)

    def _limited(self, encoded: Encoded, tag_numbers: list[int]) -> Encoded:
        limit = self.max_tokens
        if limit is None or len(encoded) <= limit:
            return encoded
        if any(tag_numbers[limit:]):
            lost = len(encoded.visuals) - (min(filter(None, tag_numbers[limit:])) - 1)
            raise SequenceError(
                f"the sequence has {len(encoded)} tokens, and cutting it at {limit} would lose "
                f"{lost} of its {len(encoded.visuals)} visuals.\n"
                "A visual without its tag would shift all others. Give fewer or shorter examples, "
                "or a higher limit."
            )
        return Encoded(
            encoded.token_ids[:limit],
            encoded.visual_index[:limit],
            encoded.visuals,
            encoded.loss_weights[:limit],
        )

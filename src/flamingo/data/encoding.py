"""From a document to token ids, with φ computed once, from the document's own structure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flamingo.data.features import VisualFeatures
from flamingo.data.tokenizer import PreparedTokenizer
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


@dataclass(frozen=True)
class Encoded:
    """One sequence, ready to be batched.

    Args:
        token_ids: the text with its tags.
        visual_index: per token, which of `visuals` it may look at, from 1; 0 for none.
        visuals: the images and videos that the tags stand for, or their precomputed features.
        loss_weights: per token, how much its prediction counts: 0 for `<BOS>` and image tags.
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
            SequenceError: the text contains a tag, or a visual lies behind `max_tokens`.
        """
        marked = mark_up(
            document, self.prepared.markup, is_complete=is_complete, is_beginning=is_beginning
        )
        ids: list[int] = []
        tag_numbers: list[int] = []
        weights: list[float] = []
        number = 0
        for kind, tokens in self._tokens(marked.pieces):
            is_tag = kind is PieceKind.IMAGE
            number += is_tag
            is_predicted = not is_tag and kind is not PieceKind.BOS
            ids += tokens
            tag_numbers += [number if is_tag else 0] * len(tokens)
            weights += [float(is_predicted)] * len(tokens)
        index = visual_index(tag_numbers, sees=sees)
        return self._limited(Encoded(ids, index, marked.visuals, weights), tag_numbers)

    def continuation(self, text: str) -> list[int]:
        """The ids of text that follows an open prompt, such as a candidate answer."""
        return self.prepared.tokens([text])[0]

    def _tokens(self, pieces: tuple[Piece, ...]) -> Iterator[tuple[PieceKind, list[int]]]:
        """Each piece with its ids; texts are tokenized apart, so that no tag can merge with one."""
        ids = self.prepared.ids
        tags = {
            PieceKind.BOS: [ids.bos],
            PieceKind.EOS: [ids.eos],
            PieceKind.EOC: [ids.eoc],
            PieceKind.IMAGE: list(ids.image),
        }
        texts = [piece.text for piece in pieces if piece.kind is PieceKind.TEXT]
        tokenized = iter(self.prepared.tokens(texts))
        for piece in pieces:
            yield piece.kind, tags[piece.kind] if piece.kind in tags else next(tokenized)

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

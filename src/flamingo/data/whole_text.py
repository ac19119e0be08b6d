"""A marked-up sequence tokenized as one string, and its tags found again by their ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flamingo.data.tokenizer import PreparedTokenizer
from flamingo.foundation.errors import SequenceError
from flamingo.sequence import Piece, PieceKind

_WORD = "a"
"""Stands for the text of a chunk that came before."""


def whole_tokens(
    prepared: PreparedTokenizer, pieces: Sequence[Piece], *, is_beginning: bool
) -> Iterator[tuple[PieceKind, list[int]]]:
    """The ids of a sequence with what they stand for; all that is no tag counts as text.

    The string is cut behind each end of a chunk, and what follows is tokenized behind one. So
    examples that were read before and a query behind them have the ids of both together, also
    where a tokenizer treats the beginning of a string in its own way.

    Args:
        prepared: the tokenizer.
        pieces: the sequence.
        is_beginning: whether nothing stands before it; else an end of a chunk does.

    Raises:
        SequenceError: the tokenizer does not keep a tag in one token.
    """
    markup, ids = prepared.markup, prepared.ids
    end = None if is_beginning else markup.eoc + markup.after_eoc
    kinds = {ids.image[0]: PieceKind.IMAGE}
    if ids.around_image is not None:
        kinds[ids.around_image] = PieceKind.AROUND_IMAGE
    num_found = 0
    is_first = True
    for run, end_of_run in _runs(pieces):
        text = "".join(piece.text for piece in run)
        if end is None:
            (tokens,) = prepared.tokens([text])
        else:
            (tokens,) = prepared.tokens_behind(_WORD + end, [text])
        end = end_of_run
        for token in tokens:
            is_bos = is_first and run[0].kind is PieceKind.BOS
            kind = PieceKind.BOS if is_bos else kinds.get(token, PieceKind.TEXT)
            num_found += kind is PieceKind.IMAGE
            is_first = False
            yield kind, [token]
    num_tags = sum(piece.kind is PieceKind.IMAGE for piece in pieces)
    if num_found != num_tags:
        raise SequenceError(
            f"the sequence has {num_tags} {markup.image} tags, but {num_found} of the tokens that "
            f"the tokenizer {type(prepared.tokenizer).__name__} makes of it are such tags.\n"
            "It must keep each tag in one token. Check how it was added, or set whole_text=False."
        )


def _runs(pieces: Sequence[Piece]) -> Iterator[tuple[list[Piece], str]]:
    """What stands between two ends of chunks, with how the second one is written."""
    run: list[Piece] = []
    end = ""
    for piece in pieces:
        if end and piece.kind is not PieceKind.AFTER_EOC:
            yield run, end
            run, end = [], ""
        run.append(piece)
        if piece.kind in (PieceKind.EOC, PieceKind.AFTER_EOC):
            end += piece.text
    if run:
        yield run, end

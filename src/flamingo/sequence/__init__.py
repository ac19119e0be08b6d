"""Text, images and videos in one sequence, before any tensor exists: plain Python and numpy."""

from flamingo.sequence.interleaved import END_OF_CHUNK, EndOfChunk, Interleaved, Part
from flamingo.sequence.markup import MarkedUp, Markup, Piece, PieceKind, mark_up
from flamingo.sequence.visual import Visual
from flamingo.sequence.visual_index import Sees, draw_sees, visual_index

__all__ = [
    "END_OF_CHUNK",
    "EndOfChunk",
    "Interleaved",
    "MarkedUp",
    "Markup",
    "Part",
    "Piece",
    "PieceKind",
    "Sees",
    "Visual",
    "draw_sees",
    "mark_up",
    "visual_index",
]

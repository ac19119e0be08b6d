"""From tokens, one by one, to the text of an answer that can be sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_INCOMPLETE = "\ufffd"
"""What the first bytes of a character are decoded as, until its last one comes."""


class AnswerText:
    """The text of one answer as it grows, up to a stop text.

    Nothing is given out that could still change: the bytes of half a character, the beginning of a
    stop text, or spaces that may be the last ones. Put together the pieces are the answer without
    the spaces around it.

    Args:
        decode: from token ids to text, special tokens left out.
        stop: texts that end the answer; the first to stand there does.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], stop: Sequence[str] = ()) -> None:
        self._decode, self._stop = decode, tuple(text for text in stop if text)
        self._ids: list[int] = []
        self._given = 0
        self._end: int | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether a stop text was found."""
        return self._end is not None

    def add(self, token: int) -> str:
        """What can be given out once this token is there."""
        self._ids.append(token)
        text = self._text()
        self._end = self._found(text)
        if self._end is not None:
            return self._piece(text[: self._end].rstrip())
        return self._piece(text[: self._settled(text)])

    def close(self) -> str:
        """What is left when no token follows."""
        text = self._text()
        return self._piece(text[: self._end].rstrip())

    def _text(self) -> str:
        return self._decode(self._ids).lstrip()

    def _found(self, text: str) -> int | None:
        places = [place for stop in self._stop if (place := text.find(stop)) >= 0]
        return min(places, default=None)

    def _settled(self, text: str) -> int:
        """How many first characters will stay, whatever follows."""
        settled = len(text.rstrip(_INCOMPLETE).rstrip())
        for stop in self._stop:
            for length in range(min(len(stop) - 1, len(text)), 0, -1):
                if text.endswith(stop[:length]):
                    settled = min(settled, len(text[:-length].rstrip()))
                    break
        return settled

    def _piece(self, text: str) -> str:
        piece, self._given = text[self._given :], max(self._given, len(text))
        return piece

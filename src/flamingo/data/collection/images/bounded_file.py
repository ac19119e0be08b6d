"""A picture's file whose headers cannot be read for seconds."""

from __future__ import annotations

import io

MAX_READS = 40_000
"""Decoders read in blocks; a file that is read more often has a header without an end, such as a
million empty chunks or a comment of megabytes that is read letter by letter."""


class BoundedFile(io.BytesIO):
    """The bytes of a file, which may be read `MAX_READS` times.

    Args:
        data: the bytes.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._left = MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        """See `io.BytesIO`.

        Raises:
            OSError: it was read too often.
        """
        self._left -= 1
        if self._left < 0:
            raise OSError("it has more parts than a decoder should have to read")
        return super().read(size)

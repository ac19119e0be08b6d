"""Captions in files of JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flamingo.data.collection.made_samples import Refused, refused
from flamingo.data.collection.pairs.columns import named, record_of
from flamingo.data.collection.pairs.records import (
    CaptionFile,
    CaptionPiece,
    CaptionRecord,
    check_size,
)
from flamingo.data.collection.sources.source import stem_of
from flamingo.data.datasets.scanning import scan_lines
from flamingo.foundation.errors import DataError, reason

MAX_LINE = 8 << 20
"""Bytes of a line at most."""


@dataclass(frozen=True)
class LineCaptions(CaptionFile):
    """The objects of a file that has one on each line."""

    def pieces(self, size: int) -> Sequence[CaptionPiece]:
        """See `CaptionReader`."""
        check_size(size)
        try:
            with self.place.open("rb") as file:
                starts = scan_lines(file, self.place.stat().st_size).starts
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error.strerror}.") from error
        count = len(starts) - 1
        if not count:
            raise DataError(f"{self.path} is empty.\nOne object goes on each line.")
        return [
            CaptionPiece(
                f"{stem_of(self.path)}-{number:06d}",
                self.path,
                first,
                min(size, count - first),
                int(starts[first]),
                int(starts[min(first + size, count)]),
            )
            for number, first in enumerate(range(0, count, size))
        ]

    def records(self, piece: CaptionPiece) -> Iterator[CaptionRecord | Refused]:
        """See `CaptionReader`."""
        with self.place.open("rb") as file:
            file.seek(piece.start)
            for number in range(piece.first, piece.first + piece.count):
                line = file.readline(MAX_LINE)
                where = f"{self.path}, line {number + 1}"
                if len(line) == MAX_LINE and not line.endswith(b"\n"):
                    while not (rest := file.readline(MAX_LINE)).endswith(b"\n") and rest:
                        pass
                    yield refused("record", f"it has more than {MAX_LINE:,} bytes", where)
                elif line.strip():
                    yield self._record(line, number, where)

    def _record(self, line: bytes, number: int, where: str) -> CaptionRecord | Refused:
        try:
            value: Any = json.loads(line.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            return refused("record", f"it is no JSON: {reason(error)}", where)
        if not isinstance(value, dict):
            return refused("record", f"it is a {type(value).__name__}, no object", where)
        try:
            media, text = named(list(value), self.settings, where)
        except (DataError, ValueError) as error:
            return refused("record", reason(error), where)
        return record_of(number, value, media, text, self.settings, where)

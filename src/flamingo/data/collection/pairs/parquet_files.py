"""Captions in Parquet files, with or without the images in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow
import pyarrow.parquet as parquet

from flamingo.data.collection.made_samples import Refused, refused
from flamingo.data.collection.pairs.columns import named, record_of
from flamingo.data.collection.pairs.records import (
    CaptionFile,
    CaptionPiece,
    CaptionRecord,
    check_size,
)
from flamingo.data.collection.sources.source import stem_of
from flamingo.foundation.errors import DataError, reason

_AT_ONCE = 64
"""Rows that are held as Python objects: with images in them they are large."""
_LARGE = ("list<", "struct<", "binary", "large_binary", "map<")


@dataclass(frozen=True)
class ParquetCaptions(CaptionFile):
    """The rows of a Parquet file, as LAION, img2dataset and HF datasets write it."""

    def pieces(self, size: int) -> Sequence[CaptionPiece]:
        """See `CaptionReader`; a piece lies in one row group, which it names as its entry."""
        check_size(size)
        with self._opened() as file:
            named(file.schema_arrow.names, self.settings, self.path)
            counts = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
        found: list[CaptionPiece] = []
        before = 0
        for group, count in enumerate(counts):
            for first in range(0, count, size):
                name = f"{stem_of(self.path)}-{len(found):06d}"
                there = min(size, count - first)
                found.append(
                    CaptionPiece(name, self.path, before + first, there, entries=(group, first))
                )
            before += count
        if not found:
            raise DataError(f"{self.path} has no rows.")
        return found

    def records(self, piece: CaptionPiece) -> Iterator[CaptionRecord | Refused]:
        """See `CaptionReader`."""
        number, end = piece.first, piece.first + piece.count
        try:
            with self._opened() as file:
                media, text = named(file.schema_arrow.names, self.settings, self.path)
                for row in self._rows(file, piece, [media, text]):
                    where = f"{self.path}, row {number + 1}"
                    yield record_of(number, row, media, text, self.settings, where)
                    number += 1
        except (pyarrow.ArrowException, OSError, DataError, UnicodeDecodeError) as error:
            where = f"{self.path}, rows {number + 1} to {end}"
            yield refused("record", f"the rest of the piece is damaged: {reason(error)}", where)

    def _rows(
        self, file: parquet.ParquetFile, piece: CaptionPiece, wanted: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        group, first = piece.entries
        schema = file.schema_arrow
        # Other columns of lists or bytes hold nothing that a sample keeps.
        columns = [
            name
            for name in schema.names
            if name in wanted or not str(schema.field(name).type).startswith(_LARGE)
        ]
        last = first + piece.count
        position = 0
        for batch in file.iter_batches(_AT_ONCE, row_groups=[group], columns=columns):
            begin, end = max(first - position, 0), min(last - position, batch.num_rows)
            position += batch.num_rows
            if begin < end:
                yield from batch.slice(begin, end - begin).to_pylist()
            if position >= last:
                return

    def _opened(self) -> parquet.ParquetFile:
        try:
            return parquet.ParquetFile(self.place)
        except (pyarrow.ArrowException, OSError) as error:
            raise DataError(f"{self.path} is no readable Parquet file: {reason(error)}") from error

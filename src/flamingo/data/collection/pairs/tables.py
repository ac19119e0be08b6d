"""Captions in CSV and TSV files."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from flamingo.data.collection.made_samples import Refused, refused
from flamingo.data.collection.pairs.columns import named, record_of
from flamingo.data.collection.pairs.records import (
    CaptionFile,
    CaptionPiece,
    CaptionRecord,
    check_size,
)
from flamingo.data.collection.pairs.settings import Columns
from flamingo.data.collection.sources.source import stem_of
from flamingo.foundation.errors import DataError, reason

MAX_LINE = 1 << 20
"""Bytes of a line at most; the rest of a longer one is read as a line of its own."""
_BOM = b"\xef\xbb\xbf"
_ADDRESS = re.compile(
    r"(https?|file)://\S+|[^\s].*\.(jpe?g|png|gif|webp|bmp|tiff?|avif|mp4|m4v|mov|webm|mkv|avi)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class TableCaptions(CaptionFile):
    """The rows of a CSV or TSV file in UTF-8.

    A row of two cells without a header is understood if one of them looks like an address, as in
    the files of Conceptual Captions.
    """

    def pieces(self, size: int) -> Sequence[CaptionPiece]:
        """See `CaptionReader`."""
        check_size(size)
        with self._opened() as file:
            first, _, behind = next(self._rows(file, 0), (None, 0, 0))
            if first is None:
                raise DataError(f"{self.path} is empty.\nRows of an address and a text go there.")
            self._columns(first)
            after_header = behind if self._has_header(first) else 0
        pieces: list[CaptionPiece] = []
        begin = end = count = 0
        with self._opened() as file:
            for _, start, stop in self._rows(file, after_header):
                if count == size:
                    pieces.append(self._piece(len(pieces), size, size, begin, start))
                    count = 0
                begin = begin if count else start
                end = stop
                count += 1
        if count:
            pieces.append(self._piece(len(pieces), size, count, begin, end))
        return pieces

    def _piece(self, number: int, size: int, count: int, start: int, end: int) -> CaptionPiece:
        name = f"{stem_of(self.path)}-{number:06d}"
        return CaptionPiece(name, self.path, number * size, count, start, end)

    def records(self, piece: CaptionPiece) -> Iterator[CaptionRecord | Refused]:
        """See `CaptionReader`."""
        with self._opened() as file:
            first = next(self._rows(file, 0), (None, 0, 0))[0] or []
        columns, media, text = self._columns(first)
        with self._opened() as file:
            rows = self._rows(file, piece.start)
            for number, (row, _, end) in zip(range(piece.count), rows, strict=False):
                place = piece.first + number
                where = f"{self.path}, row {place + 1}"
                yield self._record(row, place, columns, media, text, where)
                if end >= piece.end:
                    return

    def _record(
        self,
        row: list[str] | str,
        number: int,
        columns: list[str],
        media: str,
        text: str,
        where: str,
    ) -> CaptionRecord | Refused:
        if isinstance(row, str):
            return refused("record", row, where)
        if len(row) != len(columns):
            cells = f"it has {len(row)} cells, but there are {len(columns)} columns"
            return refused("record", cells, f"{where}: {' | '.join(row)}")
        values = dict(zip(columns, row, strict=True))
        if "�" in values[text]:
            return refused("record", "its text is not UTF-8", f"{where}: {values[text]}")
        return record_of(number, values, media, text, self.settings, where)

    def _opened(self) -> BinaryIO:
        try:
            return self.place.open("rb")
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error.strerror}.") from error

    def _has_header(self, first: list[str] | str) -> bool:
        if self.settings.has_header is not None:
            return self.settings.has_header
        return not any(_ADDRESS.fullmatch(cell.strip()) for cell in first)

    def _columns(self, first: list[str] | str) -> tuple[list[str], str, str]:
        """The names of all columns, and which of them have the media and the text."""
        if isinstance(first, str):
            raise DataError(f"the first row of {self.path} cannot be read: {first}.")
        if self._has_header(first):
            # Columns of one name, or of none, are told apart by their numbers.
            names = [
                name if name.strip() and name not in first[:number] else str(number)
                for number, name in enumerate(first)
            ]
            return names, *named(names, self.settings, self.path)
        names = [str(number) for number in range(len(first))]
        given = Columns(media=_numbered(self.settings.media), text=_numbered(self.settings.text))
        looks = [bool(_ADDRESS.fullmatch(cell.strip())) for cell in first]
        if len(first) == 2 and sum(looks) == 1:
            media = looks.index(True)
            given = Columns(
                media=media if given.media is None else given.media,
                text=1 - media if given.text is None else given.text,
            )
        return names, *named(names, given, self.path)

    def _rows(self, file: BinaryIO, start: int) -> Iterator[tuple[list[str] | str, int, int]]:
        """Rows with where each begins and ends; a reason in place of a row that is damaged."""
        file.seek(start)
        is_comma = self.path.lower().endswith(".csv")
        is_quoted = is_comma if self.settings.is_quoted is None else self.settings.is_quoted
        lines = _Lines(file, start)
        reader = csv.reader(
            lines,
            delimiter=self.settings.delimiter or ("," if is_comma else "\t"),
            quoting=csv.QUOTE_MINIMAL if is_quoted else csv.QUOTE_NONE,
        )
        while True:
            begin = lines.position
            try:
                row = next(reader, None)
            except csv.Error as error:
                yield reason(error), begin, lines.position
                continue
            if row is None:
                return
            # Empty lines are no rows.
            if row:
                yield row, begin, lines.position


def _numbered(column: str | int | None) -> str | int | None:
    """Without a header, a column is meant by its number."""
    return int(column) if isinstance(column, str) and column.isdecimal() else column


class _Lines:
    """The lines of a file as text, and where the next one begins."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self.file, self.position = file, start

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.file.readline(MAX_LINE)
        if not line:
            raise StopIteration
        at_start = self.position == 0
        self.position += len(line)
        return (line.removeprefix(_BOM) if at_start else line).decode("utf-8", "replace")

"""Pages that were fetched elsewhere: one JSON object a line, the page in it or beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flamingo.data.collection.pages import RawPage
from flamingo.data.collection.sources.safe_paths import path_below, read_bounded
from flamingo.data.collection.sources.source import MAX_PAGE_BYTES, Piece, cut, stem_of
from flamingo.data.datasets.scanning import scan_lines
from flamingo.data.skipping import Skipped
from flamingo.foundation.errors import DataError, reason

JSON_ENDINGS = (".jsonl", ".ndjson")

_MAX_LINE_BYTES = 4 * MAX_PAGE_BYTES
"""JSON may write a byte of a page as several."""


@dataclass(frozen=True)
class JsonLinesPages:
    """The pages of files of JSON lines, in the order of the files.

    The fields of a line: `url`; `html`, the page as text, or `path`, of its file below the
    folder of the list; `encoding`, for a file, and `date`, if they are known.

    Args:
        folder: that the files are below, or that one file is in.
        files: their paths below it.
    """

    folder: Path
    files: tuple[str, ...]

    def pieces(self, pages_per_piece: int) -> Sequence[Piece]:
        """See `PageSource`."""
        pieces: list[Piece] = []
        for name in self.files:
            path = self.folder / name
            try:
                with path.open("rb") as file:
                    starts = scan_lines(file, path.stat().st_size).starts
            except OSError as error:
                raise DataError(f"{path} cannot be read: {error}.\nCheck the path.") from error
            places = tuple(int(start) for start in starts[:-1])
            pieces += cut(os.fspath(path), stem_of(name), places, pages_per_piece)
        if not pieces:
            raise DataError(
                f"There is no line in {len(self.files)} lists of pages such as "
                f"{self.folder / self.files[0]}."
            )
        return pieces

    def read(self, piece: Piece) -> Iterator[RawPage | Skipped]:
        """See `PageSource`."""
        path = Path(piece.path)
        try:
            with path.open("rb") as file:
                places = [int(entry) for entry in piece.entries or ()]
                for number, place in enumerate(places, start=piece.first + 1):
                    file.seek(place)
                    line = file.readline(_MAX_LINE_BYTES + 1)
                    if not line.strip():
                        continue
                    try:
                        yield _page(line, path.parent)
                    except DataError as error:
                        yield Skipped(f"{path}, line {number}", reason(error))
        except OSError as error:
            yield Skipped(piece.path, f"it cannot be read: {error}")


def _page(line: bytes, folder: Path) -> RawPage:
    if len(line) > _MAX_LINE_BYTES:
        raise DataError(f"the line is longer than {_MAX_LINE_BYTES:,} bytes.")
    try:
        fields = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"the line is no JSON: {error}.") from error
    if not isinstance(fields, dict):
        raise DataError(f"the line holds a {type(fields).__name__}, not an object with fields.")
    address, date = _text(fields, "url"), _text(fields, "date")
    if not address:
        raise DataError(f"the field url is missing; there are {sorted(fields)[:10]}.")
    html, name = _text(fields, "html"), _text(fields, "path")
    if html is not None:
        content, encoding = html.encode("utf-8", "replace"), "utf-8"
        if len(content) > MAX_PAGE_BYTES:
            raise DataError(f"the page has more than the {MAX_PAGE_BYTES:,} bytes that are read.")
        return RawPage(address, content, encoding, date=date)
    if name is None:
        raise DataError(f"neither html nor path is given; there are {sorted(fields)[:10]}.")
    found = path_below(folder, name)
    if found is None or name.startswith("/"):
        raise DataError(f"there is no file {name[:200]!r} below the folder of the list.")
    content = read_bounded(found, MAX_PAGE_BYTES)
    return RawPage(address, content, _text(fields, "encoding"), date=date)


def _text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise DataError(f"the field {name} is a {type(value).__name__}, not a text.")
    # Half of a surrogate pair can stand in JSON, but in no file that is written later.
    return None if value is None else value.encode("utf-8", "replace").decode()

"""Pages from web archives: WARC files, plain or compressed, such as those of Common Crawl."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

from fastwarc.warc import WarcRecord

from flamingo.data.collection.pages import RawPage
from flamingo.data.collection.sources.source import (
    MAX_PAGE_BYTES,
    Piece,
    check_pages_per_piece,
    cut,
    stem_of,
)
from flamingo.data.collection.sources.warc_index import index_warc
from flamingo.data.collection.sources.warc_scan import (
    Damage,
    address_of,
    kind_of,
    payload_of,
    record_at,
    records,
)
from flamingo.data.skipping import Skipped
from flamingo.foundation.errors import DataError, reason

WARC_ENDINGS = (".warc", ".warc.gz")


@dataclass(frozen=True)
class WarcPages:
    """The pages of web archives: answers that are HTML, in the order of the files.

    A file is cut where records begin. That takes a scan of all of it, which costs much less than
    reading its pages does, and finds its images on the way. A file that is compressed as a
    whole cannot be entered in its middle, and is one piece.

    Args:
        folder: that the files are below, or that one file is in.
        files: their paths below it.
        work: the folder to keep the indices in; without it, each start scans again.
    """

    folder: Path
    files: tuple[str, ...]
    work: Path | None = None

    def pieces(self, pages_per_piece: int) -> Sequence[Piece]:
        """See `PageSource`."""
        check_pages_per_piece(pages_per_piece)
        pieces: list[Piece] = []
        for name in self.files:
            path = self.folder / name
            index = index_warc(path, self.work)
            if index.is_whole:
                pieces.append(Piece(f"{stem_of(name)}-000000", os.fspath(path), None))
                continue
            skipped = [_skipped(path, damage) for damage in index.damages]
            pages = tuple(int(start) for start in index.pages)
            pieces += cut(os.fspath(path), stem_of(name), pages, pages_per_piece, skipped)
        if not any(piece.entries is None or piece.entries for piece in pieces):
            problems = [skipped.reason for piece in pieces for skipped in piece.skipped]
            raise DataError(
                f"There is no HTML page in {len(self.files)} web archives such as "
                f"{self.folder / self.files[0]}." + (f"\nIn it: {problems[0]}." if problems else "")
            )
        return pieces

    def read(self, piece: Piece) -> Iterator[RawPage | Skipped]:
        """See `PageSource`."""
        yield from piece.skipped
        path = Path(piece.path)
        try:
            with path.open("rb") as file:
                yield from _all_of(path, file) if piece.entries is None else _some(file, piece)
        except OSError as error:
            yield Skipped(piece.path, f"it cannot be read: {error}")


def _some(file: BufferedIOBase, piece: Piece) -> Iterator[RawPage | Skipped]:
    for entry in piece.entries or ():
        place = Damage(int(entry), "")
        try:
            yield _page(record_at(file, place.offset))
        except DataError as error:
            yield _skipped(Path(piece.path), Damage(place.offset, reason(error)))


def _all_of(path: Path, file: BufferedIOBase) -> Iterator[RawPage | Skipped]:
    for record in records(file):
        if isinstance(record, Damage):
            yield _skipped(path, record)
            continue
        kind, start = kind_of(record)
        if kind == "page":
            try:
                yield _page(record, start)
            except DataError as error:
                yield Skipped(f"{path}: {address_of(record)}", reason(error))


def _page(record: WarcRecord, start: bytes = b"") -> RawPage:
    address, date = address_of(record), record.headers.get("WARC-Date")
    encoding = record.http_charset if record.http_headers is not None else None
    content = payload_of(record, MAX_PAGE_BYTES, start)
    return RawPage(address, content, encoding, date=str(date) if date else None)


def _skipped(path: Path, damage: Damage) -> Skipped:
    return Skipped(f"{path}: the record at byte {damage.offset:,}", damage.reason)

"""Images in a folder, each with a file of the same name that holds its caption."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flamingo.data.collection.made_samples import Refused, refused
from flamingo.data.collection.pairs.records import CaptionPiece, CaptionRecord, check_size
from flamingo.data.collection.pairs.settings import Columns
from flamingo.data.collection.pairs.written_beside import caption_of
from flamingo.data.collection.sources.folders import files_ending
from flamingo.data.collection.sources.safe_paths import path_below, read_bounded
from flamingo.data.datasets.raw_samples import BrokenSample
from flamingo.foundation.errors import DataError, reason

TEXTS = (".txt", ".json")
MAX_TEXT = 1 << 20
"""Bytes of a file with a caption at most."""


@dataclass(frozen=True)
class FolderCaptions:
    """The media of a folder, and of the folders in it, that have a `txt` or a `json` beside them.

    Args:
        root: the folder.
        settings: which fields of a `json` are what.
        endings: of media, without the dot.
    """

    root: Path
    settings: Columns
    endings: tuple[str, ...]
    path: str = ""

    @property
    def folder(self) -> Path:
        """See `CaptionReader`."""
        return self.root

    def pieces(self, size: int) -> Sequence[CaptionPiece]:
        """See `CaptionReader`; the entries of a piece are paths of media with those beside them."""
        check_size(size)
        entries = self.entries()
        return [
            CaptionPiece(
                f"folder-{number:06d}",
                "",
                first,
                len(entries[first : first + size]),
                entries=tuple(entries[first : first + size]),
            )
            for number, first in enumerate(range(0, len(entries), size))
        ]

    def entries(self) -> list[tuple[str, tuple[str, ...]]]:
        """Each of the media that has a caption, with the paths of the files that hold it."""
        beside: dict[str, list[str]] = {}
        for path in files_ending(self.root, TEXTS):
            beside.setdefault(path.rpartition(".")[0], []).append(path)
        dotted = [f".{ending}" for ending in self.endings]
        return [
            (path, tuple(beside[stem]))
            for path in files_ending(self.root, dotted)
            if (stem := path.rpartition(".")[0]) in beside
        ]

    def records(self, piece: CaptionPiece) -> Iterator[CaptionRecord | Refused]:
        """See `CaptionReader`."""
        for position, (path, beside) in enumerate(piece.entries):
            try:
                written = {name.rpartition(".")[2].lower(): self._read(name) for name in beside}
                texts, fields = caption_of(written, self.settings)
            except BrokenSample as error:
                yield refused("record", error.reason, path)
            except DataError as error:
                yield refused("record", reason(error), path)
            else:
                yield CaptionRecord(piece.first + position, texts, path, None, fields)

    def _read(self, name: str) -> bytes:
        place = path_below(self.root, name)
        if place is None:
            raise DataError(f"{name} is gone, no file, or outside of the folder")
        return read_bounded(place, MAX_TEXT)

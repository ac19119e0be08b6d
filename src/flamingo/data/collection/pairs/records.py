"""A caption and what it belongs to, as a file has them, before either was looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from flamingo.data.collection.made_samples import Refused
from flamingo.data.collection.pairs.settings import Columns
from flamingo.data.collection.sources.source import stem_of
from flamingo.foundation.errors import ConfigError


@dataclass(frozen=True)
class CaptionRecord:
    """One image or video with its captions.

    Attributes:
        number: its place in the file, from 0.
        texts: its captions; usually one.
        address: its URL, or its path from the folder of the media; "" if there is none.
        content: its bytes, if the file itself holds them.
        fields: what else is known and worth keeping, by name.
    """

    number: int
    texts: tuple[str, ...]
    address: str = ""
    content: bytes | None = field(default=None, repr=False)
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CaptionPiece:
    """Some records of a file, in order; can be pickled.

    Attributes:
        name: the same whenever the same input is opened; a file name without dots.
        path: of the file or folder, relative to what was opened.
        first: number of its first record.
        count: of its records.
        start: byte at which its first record begins, where that is how records are found.
        end: byte at which its last record ends.
        entries: its records themselves, or where they are, if they are found otherwise.
    """

    name: str
    path: str
    first: int
    count: int
    start: int = 0
    end: int = 0
    entries: tuple[Any, ...] = field(default=(), repr=False)


@runtime_checkable
class CaptionReader(Protocol):
    """Reads the captions of one file or folder; can be pickled.

    Attributes:
        path: of the file or folder, relative to what was opened.
        folder: in which it is, and from which paths in it start.
    """

    @property
    def path(self) -> str:
        """See above."""

    @property
    def folder(self) -> Path:
        """See above."""

    def pieces(self, size: int) -> Sequence[CaptionPiece]:
        """All records, cut into pieces of so many; the last one is smaller.

        Raises:
            DataError: the file cannot be understood at all.
        """

    def records(self, piece: CaptionPiece) -> Iterator[CaptionRecord | Refused]:
        """The records of a piece in order, with what cannot be read in its place."""


@dataclass(frozen=True)
class CaptionFile:
    """What the readers of single files have in common.

    Args:
        root: folder that `path` starts from.
        path: of the file.
        settings: which columns or fields are what, and which of them a sample keeps.
    """

    root: Path
    path: str
    settings: Columns

    @property
    def place(self) -> Path:
        """Where the file is."""
        return self.root / self.path

    @property
    def folder(self) -> Path:
        """See `CaptionReader`."""
        return self.place.parent


def check_size(size: int) -> None:
    """Refuses what no piece can hold.

    Raises:
        ConfigError: `size` is below 1.
    """
    if size < 1:
        raise ConfigError(f"pieces of {size} records are impossible.\nGive 1 or more.")


def pieces_of(path: str, entries: Sequence[Any], size: int) -> list[CaptionPiece]:
    """Pieces of a file whose entries are all known, so many in each; the last is smaller."""
    return [
        CaptionPiece(
            f"{stem_of(path)}-{number:06d}",
            path,
            first,
            len(entries[first : first + size]),
            entries=tuple(entries[first : first + size]),
        )
        for number, first in enumerate(range(0, len(entries), size))
    ]

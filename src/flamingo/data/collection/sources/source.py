"""What every source of pages gives: pieces of its input, and the pages of a piece."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from flamingo.data.collection.pages import RawPage
from flamingo.data.skipping import Skipped
from flamingo.foundation.errors import ConfigError

MAX_PAGE_BYTES = 16 << 20
"""A larger page is passed over. Common Crawl itself cuts what it stores far below this."""


@dataclass(frozen=True)
class Piece:
    """Some pages of a source, in order; small, and can be pickled.

    Attributes:
        name: the same whenever the same input is opened; a file name without dots.
        path: of the folder or file that holds its pages.
        entries: its pages: paths below a folder, names in an archive, or places in bytes; None
            stands for all that the file holds, where it can only be read from its beginning.
        first: number of its first page in `path`.
        skipped: damaged places that were found while the input was cut into pieces.
        source: number of its source, where several were opened together.
    """

    name: str
    path: str
    entries: tuple[str, ...] | tuple[int, ...] | None
    first: int = 0
    skipped: tuple[Skipped, ...] = ()
    source: int = 0


@runtime_checkable
class PageSource(Protocol):
    """Pages in a fixed order. Can be pickled: processes get copies."""

    def pieces(self, pages_per_piece: int) -> Sequence[Piece]:
        """The input, cut into pieces of so many pages; the last of each file is smaller.

        Raises:
            ConfigError: `pages_per_piece` is below 1.
            DataError: there is no page, or the input cannot be read.
        """
        ...

    def read(self, piece: Piece) -> Iterator[RawPage | Skipped]:
        """The pages of a piece in order, and what could not be read in its place."""
        ...


def cut(
    path: str,
    stem: str,
    entries: Sequence[str] | Sequence[int],
    pages_per_piece: int,
    skipped: Sequence[Skipped] = (),
) -> list[Piece]:
    """Pieces of the pages of one folder or file; the last one tells what is damaged.

    Raises:
        ConfigError: `pages_per_piece` is below 1.
    """
    check_pages_per_piece(pages_per_piece)
    # A file of which nothing is left still has a piece that says so.
    starts = range(0, len(entries), pages_per_piece) or (range(1) if skipped else range(0))
    return [
        Piece(
            f"{stem}-{number:06d}",
            path,
            tuple(entries[start : start + pages_per_piece]),  # type: ignore[arg-type]
            first=start,
            skipped=tuple(skipped) if number == len(starts) - 1 else (),
        )
        for number, start in enumerate(starts)
    ]


def check_pages_per_piece(pages_per_piece: int) -> None:
    """Refuses what no piece can hold.

    Raises:
        ConfigError: `pages_per_piece` is below 1.
    """
    if pages_per_piece < 1:
        raise ConfigError(f"pages_per_piece={pages_per_piece} is impossible.\nGive 1 or more.")


def stem_of(relative: str) -> str:
    """A name for the pieces of a file, from its path below what was opened.

    It has letters and digits of the file's name, and a hash that tells files of one name apart.
    """
    readable = re.sub(r"[^A-Za-z0-9]+", "-", relative.rpartition("/")[2]).strip("-")[:40]
    digest = hashlib.sha256(relative.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{readable or 'file'}-{digest}"

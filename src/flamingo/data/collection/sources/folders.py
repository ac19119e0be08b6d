"""Pages that lie in a folder as HTML files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flamingo.data.collection.pages import RawPage
from flamingo.data.collection.sources.safe_paths import path_below, read_bounded
from flamingo.data.collection.sources.source import MAX_PAGE_BYTES, Piece, cut
from flamingo.data.datasets.raw_samples import printable
from flamingo.data.skipping import Skipped
from flamingo.foundation.errors import DataError, reason

PAGE_ENDINGS = (".html", ".htm", ".xhtml")


@dataclass(frozen=True)
class FolderPages:
    """The HTML files of a folder and of the folders in it, in the order of their paths.

    A page's address is its path below the folder. Linked folders are not entered; a linked file
    is read if it lies below the folder.

    Args:
        folder: the root; no page and no image of a page is read from outside of it.
        only: paths below it of the files that are meant; all HTML files where None.
    """

    folder: Path
    only: tuple[str, ...] | None = None

    def pieces(self, pages_per_piece: int) -> Sequence[Piece]:
        """See `PageSource`."""
        paths = self.only if self.only is not None else html_files(self.folder)
        if not paths:
            raise DataError(
                f"The folder {self.folder} holds no file that ends in {', '.join(PAGE_ENDINGS)}."
            )
        return cut(str(self.folder), "pages", paths, pages_per_piece)

    def read(self, piece: Piece) -> Iterator[RawPage | Skipped]:
        """See `PageSource`."""
        yield from piece.skipped
        for entry in piece.entries or ():
            address = str(entry)
            # Not by its address: a name may look like one that is encoded.
            path = path_below(self.folder, address)
            if path is None:
                yield Skipped(printable(address), "it is gone, no file, or outside of the folder")
                continue
            try:
                yield RawPage(printable(address), read_bounded(path, MAX_PAGE_BYTES))
            except DataError as error:
                yield Skipped(printable(address), reason(error))


def html_files(folder: Path) -> tuple[str, ...]:
    """The paths of all HTML files below a folder, sorted; hidden ones are left out."""
    return files_ending(folder, PAGE_ENDINGS)


def files_ending(folder: Path, endings: Sequence[str]) -> tuple[str, ...]:
    """The paths below a folder of the files with these endings, sorted; without hidden ones."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.lower().endswith(tuple(endings)) and not name.startswith("."):
                path = os.path.relpath(os.path.join(parent, name), folder)
                found.append(path.replace(os.sep, "/"))
    # By bytes: a name that is no text sorts too, and no locale has a say.
    return tuple(sorted(found, key=os.fsencode))

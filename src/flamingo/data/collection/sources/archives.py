"""Pages and images in tars and zips: any member by its name, no file ever unpacked to disk."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flamingo.data.collection.pages import RawPage
from flamingo.data.collection.sources.folders import PAGE_ENDINGS
from flamingo.data.collection.sources.safe_paths import normal_name
from flamingo.data.collection.sources.source import MAX_PAGE_BYTES, Piece, cut, stem_of
from flamingo.data.datasets.raw_samples import printable
from flamingo.data.skipping import Skipped
from flamingo.foundation.errors import DataError, reason

ARCHIVE_ENDINGS = (".tar", ".zip")

_ERRORS = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    zlib.error,
    tarfile.TarError,
    zipfile.BadZipFile,
)


@dataclass(frozen=True)
class Archive:
    """A tar or a zip whose members are read by name.

    Args:
        path: of the file; a tar must not be compressed.
    """

    path: Path

    @cached_property
    def names(self) -> dict[str, Any]:
        """Its regular files by their paths, and what finds each again.

        Names that lead above the archive are left out; of two of one name the later counts, as
        if they had been unpacked.

        Raises:
            DataError: it is no archive, or is damaged before its first file.
        """
        try:
            if self.path.suffix.lower() == ".zip":
                return self._names_of_zip()
            return self._names_of_tar()
        except _ERRORS as error:
            raise DataError(
                f"{self.path} is no zip and no uncompressed tar that can be read: {error}.\n"
                "Unpack a compressed tar first."
            ) from error

    def read(self, name: str, max_bytes: int) -> bytes:
        """A file by a name of `names`.

        Raises:
            DataError: it is damaged, encrypted, larger than `max_bytes`, or there is none.
        """
        place = self.names.get(name)
        if place is None:
            raise DataError(f"{self.path} holds no file {name[:200]!r}.")
        try:
            if isinstance(place, zipfile.ZipInfo):
                with zipfile.ZipFile(self.path) as archive, archive.open(place) as file:
                    content = file.read(max_bytes + 1)
            else:
                start, size = place
                with self.path.open("rb") as whole:
                    whole.seek(start)
                    content = whole.read(min(size, max_bytes + 1))
                if len(content) < min(size, max_bytes + 1):
                    raise DataError(f"{self.path} is cut off inside of {name[:200]}.")
        except DataError:
            raise
        except _ERRORS as error:
            raise DataError(f"{name[:200]} in {self.path} cannot be read: {error}.") from error
        if len(content) > max_bytes:
            raise DataError(f"{name[:200]} has more than the {max_bytes:,} bytes that are read.")
        return content

    def _names_of_zip(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        with zipfile.ZipFile(self.path) as archive:
            for info in archive.infolist():
                # A link in a zip is a small file that holds a path: it would be no page anyway.
                name = normal_name(info.filename.replace("\\", "/"))
                if name is not None and not info.is_dir():
                    found[name] = info
        return found

    def _names_of_tar(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        with self.path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            try:
                while (member := tar.next()) is not None:
                    tar.members = []  # type: ignore[attr-defined]
                    name = normal_name(member.name)
                    if name is not None and member.isreg() and member.size >= 0:
                        found[name] = (member.offset_data, member.size)
            except tarfile.TarError:
                # What comes before the damage stays usable.
                if not found:
                    raise
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        # Without what it has found: other processes look themselves.
        return (Archive, (self.path,))


@dataclass(frozen=True)
class ArchivePages:
    """The HTML files in tars and zips, in the order of their paths.

    A page's address is its path in its archive.

    Args:
        folder: that the archives are below, or that one is in.
        files: their paths below it.
    """

    folder: Path
    files: tuple[str, ...]

    def pieces(self, pages_per_piece: int) -> Sequence[Piece]:
        """See `PageSource`."""
        pieces: list[Piece] = []
        for name in self.files:
            path = self.folder / name
            pages = [one for one in Archive(path).names if one.lower().endswith(PAGE_ENDINGS)]
            pages.sort(key=lambda page: page.encode("utf-8", "surrogateescape"))
            pieces += cut(str(path), stem_of(name), pages, pages_per_piece)
        if not pieces:
            raise DataError(
                f"There is no HTML file in {len(self.files)} archives such as "
                f"{self.folder / self.files[0]}."
            )
        return pieces

    def read(self, piece: Piece) -> Iterator[RawPage | Skipped]:
        """See `PageSource`."""
        archive = Archive(Path(piece.path))
        for entry in piece.entries or ():
            try:
                content = archive.read(str(entry), MAX_PAGE_BYTES)
                yield RawPage(printable(str(entry)), content)
            except DataError as error:
                yield Skipped(printable(f"{piece.path}: {entry}"), reason(error))

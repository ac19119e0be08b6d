"""Images of a benchmark out of the folder or the archive that they were published in."""

from __future__ import annotations

import io
import tarfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

from flamingo.data.pictures import open_picture
from flamingo.foundation.errors import DataError, MediaError, reason
from flamingo.sequence import Visual

ENDINGS = frozenset({"jpg", "jpeg", "png", "gif", "webp", "bmp", "tif", "tiff", "avif"})
MAX_BYTES = 64 << 20
"""Of one file; no image of a benchmark is larger."""


def visuals_in(path: Path, skipped: list[str]) -> Iterator[tuple[str, Visual]]:
    """The images in a folder, a tar (also compressed) or a zip, with their names there.

    Args:
        path: of the folder or archive; what is in folders below comes too.
        skipped: is told which files cannot be read, and why.

    Raises:
        DataError: there is no such folder or archive, it is damaged, or it has no images.
    """
    num = 0
    for name, content in _files_in(path):
        num += 1
        try:
            yield name, _still(content)
        except MediaError as error:
            skipped.append(f"{name}: {reason(error)}")
    if num == 0:
        raise DataError(
            f"{path} has no images.\nFiles are taken that end in {', '.join(sorted(ENDINGS))}."
        )


def _still(content: bytes) -> Visual:
    """A picture, upright, on white where it is transparent; of an animation the first frame."""
    if len(content) > MAX_BYTES:
        raise MediaError(f"the file has more than {MAX_BYTES:,} bytes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is odd in a file does not matter if it can be read
        picture = open_picture(io.BytesIO(content))
        if picture is None:
            raise MediaError("the file is no picture of a known format")
        return Visual.from_image(picture)


def _files_in(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if path.is_dir():
            yield from _of_folder(path)
        elif zipfile.is_zipfile(path):
            yield from _of_zip(path)
        elif path.is_file() and tarfile.is_tarfile(path):
            yield from _of_tar(path)
        else:
            raise DataError(f"{path} is no folder, tar or zip. Check the path.")
    except (OSError, EOFError, RuntimeError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read: {reason(error)}.\nGet it anew.") from error


def _of_folder(path: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(path.rglob("*")):
        if _is_image(file.name) and file.is_file():
            with file.open("rb") as opened:
                yield file.relative_to(path).as_posix(), opened.read(MAX_BYTES + 1)


def _of_zip(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if _is_image(member.filename):
                with archive.open(member) as opened:
                    yield member.filename, opened.read(MAX_BYTES + 1)


def _of_tar(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path, "r:*") as archive:
        for member in archive:
            opened = archive.extractfile(member) if member.isfile() else None
            if opened is not None and _is_image(member.name):
                with opened:
                    yield member.name, opened.read(MAX_BYTES + 1)
            # Otherwise an archive of millions keeps a record of each in memory.
            archive.members = []  # type: ignore[attr-defined]


def _is_image(name: str) -> bool:
    return name.rpartition(".")[2].lower() in ENDINGS

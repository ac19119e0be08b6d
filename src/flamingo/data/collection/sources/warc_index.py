"""Where the pages and images of a web archive are: found in one scan, kept as a small file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from flamingo.data.collection.sources.addresses import address_hash
from flamingo.data.collection.sources.kept_arrays import load_arrays, save_arrays
from flamingo.data.collection.sources.source import stem_of
from flamingo.data.collection.sources.warc_scan import Damage, address_of, kind_of, records
from flamingo.foundation.errors import DataError

_FORMAT = 1


@dataclass(frozen=True, eq=False)
class WarcIndex:
    """What is where in one archive.

    Attributes:
        pages: where the record of each page begins, int64, in order.
        images: a hash of each image's address, uint64, in order of the images.
        image_starts: where the record of each image begins, int64.
        damages: places that cannot be read.
        is_whole: whether the file is compressed as a whole, so that only its beginning can be
            found; it then has no images, and its pages are counted at one place.
    """

    pages: npt.NDArray[np.int64]
    images: npt.NDArray[np.uint64]
    image_starts: npt.NDArray[np.int64]
    damages: tuple[Damage, ...] = ()
    is_whole: bool = False


def index_warc(path: Path, work: Path | None = None) -> WarcIndex:
    """The index of an archive: from `work` if it is there and the archive is still the same.

    Scanning reads and unpacks all of the file; so it is done once, and what is found is kept.

    Args:
        path: of a WARC file, plain or compressed record by record.
        work: the folder to keep the index in; nothing is kept where None.

    Raises:
        DataError: the archive cannot be opened.
    """
    version = version_of(path)
    kept = None if work is None else work / f"{stem_of(os.fspath(path.resolve()))}.warc-index.npz"
    if kept is not None and (index := _load(kept, version)) is not None:
        return index
    index = _scan(path)
    if kept is not None:
        _save(kept, index, version)
    return index


def version_of(path: Path) -> str:
    """Changes when the file does.

    Raises:
        DataError: there is no such file.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.\nCheck the path.") from error
    return f"{_FORMAT} {found.st_size} {found.st_mtime_ns}"


def _scan(path: Path) -> WarcIndex:
    starts: dict[str, list[int]] = {"page": [], "image": []}
    hashes: list[int] = []
    damages: list[Damage] = []
    last, is_whole = -1, False
    try:
        with path.open("rb") as file:
            for record in records(file):
                if isinstance(record, Damage):
                    _withdraw(record, starts, hashes)
                    damages.append(record)
                    continue
                is_whole = is_whole or record.stream_pos == last
                last = record.stream_pos
                kind, _ = kind_of(record)
                if kind:
                    starts[kind].append(record.stream_pos)
                if kind == "image":
                    hashes.append(address_hash(address_of(record)))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    if is_whole:
        hashes, starts["image"] = [], []
    return WarcIndex(
        np.array(starts["page"], np.int64),
        np.array(hashes, np.uint64),
        np.array(starts["image"], np.int64),
        tuple(damages),
        is_whole,
    )


def _withdraw(damage: Damage, starts: dict[str, list[int]], hashes: list[int]) -> None:
    """Takes the record back that has turned out to be damaged."""
    for kind, found in starts.items():
        if found and found[-1] == damage.offset:
            found.pop()
            if kind == "image":
                hashes.pop()


def _save(kept: Path, index: WarcIndex, version: str) -> None:
    arrays = {"pages": index.pages, "images": index.images, "image_starts": index.image_starts}
    damages = [[one.offset, one.reason] for one in index.damages]
    save_arrays(kept, arrays, {"is_whole": index.is_whole, "damages": damages}, version)


def _load(kept: Path, version: str) -> WarcIndex | None:
    if (found := load_arrays(kept, version)) is None:
        return None
    arrays, note = found
    damages = tuple(Damage(offset, why) for offset, why in note["damages"])
    return WarcIndex(**arrays, damages=damages, is_whole=note["is_whole"])

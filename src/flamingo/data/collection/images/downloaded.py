"""Images that img2dataset, or a tool with the same layout, has downloaded."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from flamingo.data.collection.images.address_index import AddressIndex, Place
from flamingo.data.collection.images.download_shards import (
    IMAGE_COLUMN,
    PARQUET_ERRORS,
    Listed,
    images_of_shard,
    shard_names,
)
from flamingo.data.collection.images.finders import MAX_IMAGE_BYTES
from flamingo.data.collection.sources.addresses import address_hash
from flamingo.data.collection.sources.safe_paths import path_below, read_bounded
from flamingo.data.collection.sources.source import stem_of
from flamingo.data.skipping import Skipped
from flamingo.foundation.errors import DataError, reason

_Columns = tuple[
    npt.NDArray[np.uint64], npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.int64]
]
"""Hashes, numbers of files, starts and sizes, see `AddressIndex`."""


class DownloadedImages:
    """Images by their addresses, from a folder of shards.

    A shard is a tar, a folder of files, or a parquet file with a column `jpg`; `key` and `url` of
    each image stand in the parquet file of the same name, or else in JSON beside it.

    Args:
        folder: with the shards, such as `00000.tar` and `00000.parquet`.
        work: the folder to keep the index in; without it, each process makes its own.
        max_bytes: of an image.

    Raises:
        DataError: there is no such folder.
    """

    def __init__(
        self, folder: Path, work: Path | None = None, max_bytes: int = MAX_IMAGE_BYTES
    ) -> None:
        if not folder.is_dir():
            raise DataError(f"There is no folder {folder}.\nCheck the path.")
        self.folder, self.work, self.max_bytes = folder, work, max_bytes
        self._skipped: list[Skipped] = []

    @cached_property
    def index(self) -> AddressIndex:
        """Where each image is; read or made when the first one is asked for."""
        name = f"{stem_of(os.fspath(self.folder.resolve()))}.download-index.npz"
        kept, version = None if self.work is None else self.work / name, self._version()
        if kept is not None and (index := AddressIndex.load(kept, version)) is not None:
            return index
        index = self._scan()
        # What is damaged may be mended: then it is looked for again.
        if kept is not None and not self._skipped:
            index.save(kept, version)
        return index

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """The shards that could not be read."""
        _ = self.index
        return tuple(self._skipped)

    def find(self, page_address: str, image_address: str) -> bytes | None:
        """See `ImageFinder`."""
        place = self.index.find(image_address)
        if place is None:
            return None
        path = path_below(self.folder, place.file)
        try:
            if path is None:
                return None
            if path.suffix == ".parquet":
                content = _of_row(path, place.start)
            elif place.size < 0:
                content = read_bounded(path, self.max_bytes)
            else:
                content = _of_bytes(path, place, self.max_bytes)
        except (DataError, *PARQUET_ERRORS):
            return None
        return content if content and len(content) <= self.max_bytes else None

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the index, which may be large: each process reads it from `work`.
        return (DownloadedImages, (self.folder, self.work, self.max_bytes))

    def _scan(self) -> AddressIndex:
        numbers: dict[str, int] = {}
        shards: list[_Columns] = []
        for name in shard_names(self.folder):
            try:
                listed = images_of_shard(self.folder, name)
            except DataError as error:
                self._skipped.append(Skipped(f"{self.folder / name}", reason(error)))
                continue
            shards.append(_columns(listed, numbers))
        empty = _columns([], numbers)
        hashes, files, starts, sizes = map(np.concatenate, zip(empty, *shards, strict=True))
        return AddressIndex.sorted(numbers, hashes, files, starts, sizes)

    def _version(self) -> str:
        digest = hashlib.sha256()
        for path in sorted(self.folder.iterdir()):
            found = path.stat()
            line = f"{path.name}\0{found.st_size}\0{found.st_mtime_ns}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


def _columns(listed: Sequence[Listed], numbers: dict[str, int]) -> _Columns:
    """The images of a shard as arrays, as hundreds of millions of objects would fill memory."""
    return (
        np.array([address_hash(one.url) for one in listed], np.uint64),
        np.array([numbers.setdefault(one.file, len(numbers)) for one in listed], np.int32),
        np.array([one.start for one in listed], np.int64),
        np.array([one.size for one in listed], np.int64),
    )


def _of_bytes(path: Path, place: Place, max_bytes: int) -> bytes | None:
    if place.size > max_bytes:
        return None
    with path.open("rb") as file:
        file.seek(place.start)
        content = file.read(place.size)
    return content if len(content) == place.size else None


def _of_row(path: Path, row: int) -> bytes | None:
    file = pq.ParquetFile(path)
    with file:
        for group, size in enumerate(_group_sizes(file)):
            if row < size:
                column = file.read_row_group(group, [IMAGE_COLUMN]).column(IMAGE_COLUMN)
                value = column[row].as_py()
                return value if isinstance(value, bytes) else None
            row -= size
    return None


def _group_sizes(file: pq.ParquetFile) -> Sequence[int]:
    return [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]

"""Where the image of an address is, among many: sorted numbers that a search halves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from flamingo.data.collection.sources.addresses import address_hash
from flamingo.data.collection.sources.kept_arrays import load_arrays, save_arrays


@dataclass(frozen=True)
class Place:
    """Where an image is.

    Attributes:
        file: name of the file.
        start: where in the file: a byte, or a row.
        size: in bytes; -1 if the file itself says.
    """

    file: str
    start: int
    size: int


@dataclass(frozen=True, eq=False)
class AddressIndex:
    """Places by address, 28 bytes for each.

    Attributes:
        files: names of the files.
        hashes: of the addresses, uint64, sorted; of two of one address the first counts.
        numbers: of the files, int32.
        starts: int64, see `Place`.
        sizes: int64, see `Place`.
    """

    files: tuple[str, ...]
    hashes: npt.NDArray[np.uint64]
    numbers: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]

    @classmethod
    def sorted(
        cls,
        files: Iterable[str],
        hashes: npt.NDArray[np.uint64],
        numbers: npt.NDArray[np.int32],
        starts: npt.NDArray[np.int64],
        sizes: npt.NDArray[np.int64],
    ) -> AddressIndex:
        """An index of places that come in any order; the first of an address counts."""
        order = np.argsort(hashes, kind="stable")
        return cls(tuple(files), hashes[order], numbers[order], starts[order], sizes[order])

    def __len__(self) -> int:
        return len(self.hashes)

    def find(self, address: str) -> Place | None:
        """The place of an address."""
        wanted = np.uint64(address_hash(address))
        row = int(np.searchsorted(self.hashes, wanted))
        if row == len(self.hashes) or self.hashes[row] != wanted:
            return None
        return Place(
            self.files[int(self.numbers[row])], int(self.starts[row]), int(self.sizes[row])
        )

    def save(self, path: Path, version: str) -> None:
        """Keeps it, whole or not at all."""
        names = ("hashes", "numbers", "starts", "sizes")
        save_arrays(path, {name: getattr(self, name) for name in names}, self.files, version)

    @classmethod
    def load(cls, path: Path, version: str) -> AddressIndex | None:
        """The index that was kept; None if there is none, or of another version."""
        if (found := load_arrays(path, version)) is None:
            return None
        arrays, files = found
        return cls(tuple(files), **arrays)

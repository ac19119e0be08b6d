"""Pooled features of visuals, kept on disk, so that no visual is looked at twice."""

from __future__ import annotations

import hashlib
import json
import uuid
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from flamingo.foundation.errors import DataError
from flamingo.foundation.whole_files import write_bytes_whole

Rows = npt.NDArray[np.float32]

_TENSOR = "features"
_SUFFIX = ".safetensors"


class FeatureCache:
    """One row of features for each key, by one encoder.

    What `add` is given becomes a file of its own, written whole or not at all. So a killed run
    loses no more than the piece that it was about to add, and processes may write into one folder
    at once. Each reads what is there when it starts, and sees of what comes later only its own. A
    file that is damaged is passed over with a warning; its keys are missing, and computed again.

    Args:
        folder: made if it is not there; may hold the features of several encoders.
        width: numbers in a row; by default that of the rows that are there.
        encoder: whatever tells encoders apart, such as a hash of weights and settings; those of
            another one are not seen.

    Attributes:
        damaged: files that could not be used.

    Raises:
        DataError: the rows that are there have another width.
    """

    def __init__(self, folder: Path, width: int | None = None, *, encoder: str) -> None:
        self.width = width
        self.encoder = encoder
        self.damaged: list[Path] = []
        self._folder = folder / hashlib.sha256(encoder.encode()).hexdigest()[:16]
        self._places: dict[str, tuple[Path, int]] = {}
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            self._take_in(path)

    def __len__(self) -> int:
        return len(self._places)

    def missing(self, keys: Sequence[str]) -> list[str]:
        """The keys that have no row yet, each once, in the order given."""
        return [key for key in dict.fromkeys(keys) if key not in self._places]

    def add(self, keys: Sequence[str], features: npt.NDArray[np.floating]) -> None:
        """Keeps rows; they are on disk when this returns. Of a key that has one, the old stays.

        Each call makes a file: some hundred rows at once are better than one.

        Args:
            keys: of the rows, all different.
            features: `[keys, width]`; kept in float32.

        Raises:
            DataError: keys repeat, the shape is another, or a number is not finite.
        """
        self._check(keys, features)
        kept = [number for number, key in enumerate(keys) if key not in self._places]
        if not kept:
            return
        names = [keys[number] for number in kept]
        path = self._folder / f"{uuid.uuid4().hex}{_SUFFIX}"
        _write(path, self.encoder, names, np.ascontiguousarray(features[kept], np.float32))
        self.width = int(features.shape[1])
        self._remember(path, names)

    def rows(self, keys: Sequence[str]) -> Rows:
        """The rows of these keys, `[keys, width]`, in their order; a key may come several times.

        Raises:
            DataError: a key has no row, or a file was damaged or removed since it was first read.
        """
        missing = self.missing(keys)
        if missing:
            raise DataError(
                f"{len(missing)} of {len(keys)} keys have no features in {self._folder}; the first "
                f"is {missing[0]!r}.\nAsk `missing` first, and `add` what it names."
            )
        of_file: dict[Path, list[tuple[int, int]]] = {}
        for number, key in enumerate(keys):
            path, row = self._places[key]
            of_file.setdefault(path, []).append((number, row))
        found = np.empty((len(keys), self.width or 0), np.float32)
        for path, pairs in of_file.items():
            to, rows = zip(*pairs, strict=True)
            found[list(to)] = self._read(path)[1][list(rows)]
        return found

    def _take_in(self, path: Path) -> None:
        try:
            names, features = self._read(path)
        except DataError as error:
            self.damaged.append(path)
            # The caller of whoever opens the cache: there the folder was named.
            warnings.warn(f"{error} Its features are computed again.", stacklevel=3)
            return
        if self.width not in (None, features.shape[1]):
            raise DataError(
                f"{path} holds features of the width {features.shape[1]}, but {self.width} is "
                "asked for.\nAnother encoder made them under the same name. Give each encoder a "
                "name of its own, or remove the folder."
            )
        self.width = int(features.shape[1])
        self._remember(path, names)

    def _remember(self, path: Path, names: Sequence[str]) -> None:
        for row, name in enumerate(names):
            self._places.setdefault(name, (path, row))

    def _read(self, path: Path) -> tuple[list[str], Rows]:
        try:
            content = path.read_bytes()
            features = load(content)[_TENSOR]
            about = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
            names, encoder, checksum = json.loads(about["__metadata__"]["about"])
        except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
            raise DataError(f"{path} is not a whole file of features: {error!r}.") from error
        if checksum != _checksum(names, features) or encoder != self.encoder:
            raise DataError(f"{path} holds other features than were written into it.")
        return names, features

    def _check(self, keys: Sequence[str], features: npt.NDArray[np.floating]) -> None:
        if len(set(keys)) < len(keys):
            first = next(key for number, key in enumerate(keys) if key in keys[:number])
            raise DataError(f"The key {first!r} comes twice among {len(keys)} keys to be added.")
        width = features.shape[-1] if self.width is None and features.ndim else self.width
        if features.shape != (len(keys), width) or width == 0:
            raise DataError(
                f"The features have the shape {list(features.shape)}, expected one row for each of "
                f"{len(keys)} keys, of the width {width or '1 or more'}."
            )
        is_finite = np.isfinite(features).all(axis=1)
        if not is_finite.all():
            raise DataError(
                f"The features of {keys[int(is_finite.argmin())]!r} are not finite, and those of "
                f"{int((~is_finite).sum())} of {len(keys)} keys.\n"
                "The encoder is broken or ran in a too narrow number format."
            )


def _write(path: Path, encoder: str, names: list[str], features: Rows) -> None:
    """Writes a file that appears under its name only once it is whole."""
    about = json.dumps([names, encoder, _checksum(names, features)])
    write_bytes_whole(path, save({_TENSOR: features}, metadata={"about": about}))


def _checksum(names: list[str], features: Rows) -> int:
    """Tells bytes that a crash of the whole machine left unwritten: the size alone does not."""
    return zlib.crc32(np.ascontiguousarray(features).data, zlib.crc32(json.dumps(names).encode()))

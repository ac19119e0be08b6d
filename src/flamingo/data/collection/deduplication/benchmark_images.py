"""What images of benchmarks look like, in a file, so that a corpus can be kept clear of them."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from flamingo.data.collection.deduplication.signatures import pixels_hash
from flamingo.data.perceptual_hash import perceptual_hash
from flamingo.data.pixel_hash import pixels_sha256
from flamingo.foundation.errors import DataError, reason
from flamingo.sequence import Visual

_COLUMNS = ("set_of", "pixels", "looks", "has_look")


@dataclass(frozen=True, eq=False)
class BenchmarkImages:
    """Hashes of many images.

    Attributes:
        sets: names of the benchmarks.
        keys: what the images are called.
        set_of: for each the number of its benchmark.
        pixels: for each the first 64 bits of `pixels_sha256`.
        looks: for each the perceptual hash, 0 where it has none.
        has_look: which have one; those of one color have not.

    Raises:
        DataError: they are not equally many.
    """

    sets: tuple[str, ...]
    keys: tuple[str, ...]
    set_of: npt.NDArray[np.int64]
    pixels: npt.NDArray[np.uint64]
    looks: npt.NDArray[np.uint64]
    has_look: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        counts = {name: len(getattr(self, name)) for name in ("keys", *_COLUMNS)}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{count} {name}" for name, count in counts.items())
            raise DataError(f"There are {told}. Give one of each for every image.")

    @classmethod
    def of(cls, name: str, visuals: Iterable[tuple[str, Visual]]) -> BenchmarkImages:
        """The images of a benchmark, with their names, looked at one by one; none is kept."""
        rows = [(key, pixels_sha256(one), perceptual_hash(one)) for key, one in visuals]
        return cls(
            sets=(name,),
            keys=tuple(key for key, _, _ in rows),
            set_of=np.zeros(len(rows), np.int64),
            pixels=np.array([pixels_hash(digest) for _, digest, _ in rows], np.uint64),
            looks=np.array([look or 0 for _, _, look in rows], np.uint64),
            has_look=np.array([look is not None for _, _, look in rows], np.bool_),
        )

    @classmethod
    def joined(cls, parts: Sequence[BenchmarkImages]) -> BenchmarkImages:
        """The images of several; benchmarks of the same name become one."""
        names = tuple(dict.fromkeys(name for part in parts for name in part.sets))
        numbers = [np.array([names.index(name) for name in part.sets], np.int64) for part in parts]
        return cls(
            sets=names,
            keys=tuple(key for part in parts for key in part.keys),
            set_of=np.concatenate(
                [np.empty(0, np.int64), *(n[p.set_of] for n, p in zip(numbers, parts, strict=True))]
            ),
            pixels=np.concatenate([np.empty(0, np.uint64), *(part.pixels for part in parts)]),
            looks=np.concatenate([np.empty(0, np.uint64), *(part.looks for part in parts)]),
            has_look=np.concatenate([np.empty(0, np.bool_), *(part.has_look for part in parts)]),
        )

    @classmethod
    def read(cls, path: Path) -> BenchmarkImages:
        """What `write` has written.

        Raises:
            DataError: there is no such file, or it is something else.
        """
        try:
            if not zipfile.is_zipfile(path):
                raise DataError("it is no archive of arrays")
            with np.load(path, allow_pickle=False) as file:
                names = json.loads(file["names"].tobytes())
                columns = {name: file[name] for name in _COLUMNS}
            return cls(sets=tuple(names["sets"]), keys=tuple(names["keys"]), **columns)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(
                f"{path} holds no images of benchmarks: {reason(error)}.\n"
                "Write it anew with `BenchmarkImages.write`."
            ) from error

    def write(self, path: Path) -> None:
        """Writes all to a file, whole or not at all; the same images give the same bytes."""
        path.parent.mkdir(parents=True, exist_ok=True)
        names = json.dumps({"sets": self.sets, "keys": self.keys}).encode()
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        try:
            with partial.open("wb") as file:
                columns = {name: getattr(self, name) for name in _COLUMNS}
                np.savez(file, names=np.frombuffer(names, np.uint8), **columns)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def name(self, row: int) -> str:
        """What an image is called, with its benchmark: "coco: val2014/1.jpg"."""
        return f"{self.sets[self.set_of[row]]}: {self.keys[row]}"

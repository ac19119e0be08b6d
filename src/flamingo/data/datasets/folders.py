"""Samples in a plain folder: files of one name with different endings."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from functools import partial

from flamingo.data.datasets.addresses import files_below
from flamingo.data.datasets.members import read_beside
from flamingo.data.datasets.raw_samples import BrokenSample, RawSample, printable
from flamingo.foundation.errors import DataError


class FolderSamples:
    """The samples of a folder and of all folders in it, in the order of their names.

    Files are one sample if their paths differ in what follows the last dot alone.

    Args:
        folder: local or remote.
        endings: of the files that samples are made of, in small letters; others are only read
            where a sample names them.

    Raises:
        DataError: there is no such file.
    """

    missing: tuple[str, ...] = ()

    def __init__(self, folder: str, *, endings: Collection[str]) -> None:
        self.folder = folder.rstrip("/") or "/"
        found: dict[str, list[str]] = {}
        others: set[str] = set()
        for path in files_below(self.folder):
            stem, dot, ending = path.rpartition(".")
            if dot and ending.lower() in endings:
                found.setdefault(stem, []).append(ending)
            else:
                others.add(ending.lower())
        if not found:
            raise DataError(
                f"the folder {folder} holds no file that ends in {', '.join(sorted(endings))}.\n"
                f"Endings found: {', '.join(sorted(others)[:10]) or '(none)'}. Shards are named "
                f"by a pattern: {self.folder}/*.tar."
            )
        self._samples = sorted((stem, tuple(endings)) for stem, endings in found.items())

    @property
    def fingerprint(self) -> str:
        """Depends on the names of all samples, relative to the folder."""
        digest = hashlib.blake2b(digest_size=16)
        for sample in self._samples:
            digest.update(repr(sample).encode())
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, number: int) -> RawSample:
        """The sample of a number; its files are read when they are asked for."""
        stem, endings = self._samples[number]
        where = printable(f"{self.folder}/{stem}")
        names = tuple(ending.lower() for ending in endings)
        if len(set(names)) < len(names):
            raise BrokenSample(f"there are two files of one kind: {', '.join(endings)}", where)
        files = {name: f"{stem}.{ending}" for name, ending in zip(names, endings, strict=True)}
        return RawSample(where, names, partial(_read, self.folder, stem, files))


def _read(folder: str, stem: str, files: dict[str, str], name: str) -> bytes:
    """A file by its ending, or by its path relative to the sample's own place."""
    if name.lower() in files:
        return read_beside(f"{folder}/.", files[name.lower()])
    try:
        return read_beside(f"{folder}/{stem}", name)
    except BrokenSample as error:
        try:
            # What is a member `0.jpg` in a tar is the file `KEY.0.jpg` when the tar is unpacked.
            return read_beside(f"{folder}/.", f"{stem}.{name}")
        except BrokenSample:
            raise error from None

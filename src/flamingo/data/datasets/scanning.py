"""Where the samples of a shard are, found by reading it once from beginning to end."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast, runtime_checkable

import numpy as np
import numpy.typing as npt

from flamingo.foundation.errors import DataError

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20


@runtime_checkable
class ByteFile(Protocol):
    """A file of this disk or of a remote store, open to be read."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes from where it stands."""
        ...

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Goes to a place."""
        ...

    def tell(self) -> int:
        """Where it stands."""
        ...


class UnusableShard(DataError):  # noqa: N818 (what it is, not what happened)
    """A shard that is gone, or that no sample can be read from."""


@dataclass(frozen=True)
class Fault:
    """Why a sample cannot be used, known before it is read.

    Args:
        key: of the sample.
        reason: in one line.
    """

    key: str
    reason: str


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the samples of a shard are.

    Args:
        num_bytes: size of the shard.
        starts: where each sample begins, and where the last one ends.
        faults: samples that cannot be used, by number.
    """

    num_bytes: int
    starts: npt.NDArray[np.int64]
    faults: Mapping[int, Fault]

    def __len__(self) -> int:
        return len(self.starts) - 1


def split_name(name: str) -> tuple[str, str] | None:
    """Key and ending of a member, by the rule of WebDataset; none if it is no part of a sample.

    The key is the folder and what comes before the first dot of the base name.

    Example:
        >>> split_name("a/b.c/page7.0.jpg")
        ('a/b.c/page7', '0.jpg')
    """
    folder, slash, base = name.removeprefix("./").rpartition("/")
    stem, _, ending = base.partition(".")
    return (folder + slash + stem, ending.lower()) if stem and ending else None


def scan_tar(file: ByteFile, num_bytes: int) -> Layout:
    """The layout of a tar; consecutive members of one key are one sample.

    Where the tar is cut or damaged, what comes before stays usable, and one faulty sample stands
    for all that comes after.

    Args:
        file: read from its beginning.
        num_bytes: its size.

    Raises:
        UnusableShard: it is no tar at all.
        DataError: it is compressed.
    """
    _refuse_gzip(file)
    try:
        # The first header is read here.
        tar = tarfile.open(fileobj=cast(BinaryIO, file), mode="r:")  # noqa: SIM115
    except tarfile.TarError as error:
        raise UnusableShard(f"it is no tar: {error}") from error
    found = _Found()
    try:
        while (member := tar.next()) is not None:
            # Without this the list of all members would stay in memory.
            tar.members = []  # type: ignore[attr-defined]
            data_end = member.offset_data + member.size
            # A damaged size may be negative, and lead back.
            if member.size < 0 or data_end > num_bytes:
                found.is_cut_in(member, num_bytes)
                return found.layout(num_bytes)
            found.add(member, min(_padded(data_end), num_bytes))
        problem = _problem_at(file, tar.offset)
    except tarfile.TarError as error:
        problem = str(error)
    if problem:
        found.breaks_off(problem)
    return found.layout(num_bytes)


def scan_lines(file: ByteFile, num_bytes: int) -> Layout:
    """The layout of a file of lines; each line is one sample, an empty one too.

    Args:
        file: read from its beginning.
        num_bytes: its size.

    Raises:
        DataError: it is compressed.
    """
    _refuse_gzip(file)
    position, starts = 0, [np.zeros(1, np.int64)]
    while chunk := file.read(_CHUNK):
        ends = np.flatnonzero(np.frombuffer(chunk, np.uint8) == ord("\n"))
        starts.append(ends + (position + 1))
        position += len(chunk)
    joined = np.concatenate(starts)
    if joined[-1] < position:
        joined = np.append(joined, position)
    return Layout(num_bytes, joined.astype(np.int64), {})


class _Found:
    """The samples found so far."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.faults: dict[int, Fault] = {}
        self.seen: set[str] = set()
        self.key = ""
        self.end = 0

    def add(self, member: tarfile.TarInfo, end: int) -> None:
        split = split_name(member.name)
        if split is None or member.isdir():
            return
        self.end = end
        if split[0] == self.key:
            return
        self.key = split[0]
        if self.key in self.seen:
            reason = "its key stands earlier in this shard; only the first such sample is used"
            self.faults[len(self.starts)] = Fault(self.key, reason)
        self.seen.add(self.key)
        self.starts.append(member.offset)

    def is_cut_in(self, member: tarfile.TarInfo, num_bytes: int) -> None:
        self.add(member, num_bytes)
        reason = (
            f"the shard ends at byte {num_bytes:,}, in the middle of {member.name}; "
            "this sample and all behind it are lost"
        )
        if self.starts:
            self.faults[len(self.starts) - 1] = Fault(self.key, reason)

    def breaks_off(self, problem: str) -> None:
        reason = f"the shard cannot be read from byte {self.end:,} on: {problem}"
        self.faults[len(self.starts)] = Fault("(the rest)", reason)
        self.starts.append(self.end)

    def layout(self, num_bytes: int) -> Layout:
        starts = np.array([*self.starts, self.end], dtype=np.int64)
        return Layout(num_bytes, starts, self.faults)


def _padded(position: int) -> int:
    """Where the next member may begin."""
    return -(-position // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _problem_at(file: ByteFile, offset: int) -> str:
    """What is wrong with the end of a tar; nothing if it ends in zeros as it should."""
    file.seek(offset)
    block = file.read(tarfile.BLOCKSIZE)
    if block.strip(b"\0"):
        return "a damaged header"
    if len(block) < tarfile.BLOCKSIZE:
        return "there is no end mark, so the shard was probably cut"
    while chunk := file.read(_CHUNK):
        if chunk.strip(b"\0"):
            return "something follows behind the end mark, as in tars that were joined"
    return ""


def _refuse_gzip(file: ByteFile) -> None:
    head = file.read(len(_GZIP))
    file.seek(0)
    if head == _GZIP:
        raise DataError(
            "it is compressed with gzip.\nSingle samples are read from any place in a "
            "shard, which compression rules out. Unpack it first: gunzip FILE."
        )

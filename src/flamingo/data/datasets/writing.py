"""Samples into shards: tars of WebDataset's layout, each with its layout beside it."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from flamingo.data.datasets.layouts import SUFFIX, layout_of, layout_text
from flamingo.data.datasets.scanning import Layout, split_name
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.foundation.records import write_text_atomically


class ShardWriter:
    """Writes `PREFIX-000000.tar`, `PREFIX-000001.tar`, …, each whole or not at all.

    The same samples give the same bytes. A writer that was killed leaves whole shards; one that
    resumes goes on behind them.

    Args:
        prefix: folder and beginning of the names.
        samples_per_shard: of every shard but the last.
        resume: whether shards may be there already.

    Raises:
        ConfigError: `samples_per_shard` is below 1.
        DataError: there are shards already, and this is not to resume; or one is lost.

    Example:
        with ShardWriter("features/coco", resume=True) as writer:
            for key, members in samples[writer.num_samples :]:
                writer.write(key, members)
    """

    def __init__(
        self, prefix: str | Path, *, samples_per_shard: int = 1000, resume: bool = False
    ) -> None:
        if samples_per_shard < 1:
            raise ConfigError(
                f"samples_per_shard={samples_per_shard} is impossible.\nGive 1 or more."
            )
        self.prefix = Path(prefix)
        self.samples_per_shard = samples_per_shard
        existing = sorted(self.prefix.parent.glob(f"{self.prefix.name}-[0-9]*.tar"))
        if existing and not resume:
            raise DataError(
                f"there are {len(existing)} shards already, such as {existing[0]}.\n"
                "Write to another place, remove them, or go on behind them with resume=True."
            )
        for number, path in enumerate(existing):
            if path != self._path(number):
                raise DataError(
                    f"{self._path(number)} is missing, but there is {path}.\n"
                    "Remove all shards from there on; they will be written again."
                )
        self.num_samples = sum(len(layout_of(str(path))) for path in existing)
        self.num_shards = len(existing)
        self._open: _OpenShard | None = None

    def write(self, key: str, members: Mapping[str, bytes]) -> None:
        """Adds a sample.

        Args:
            key: unique in its shard; may have a folder before it, but no dot in its base name.
            members: bytes by ending, `jpg` or `0.jpg`.

        Raises:
            DataError: key or endings would not be read back as such, or the key was there before.
        """
        for ending in members or {"": b""}:
            name = f"{key}.{ending}"
            if split_name(name) != (key, ending) or key.startswith("/") or ".." in key.split("/"):
                raise DataError(
                    f"{name!r} cannot be the name of a member.\nA key has no dot in its base name; "
                    "endings are in small letters and have no slash."
                )
        if self._open is None:
            self._open = _OpenShard(self._path(self.num_shards))
        self._open.add(key, members)
        self.num_samples += 1
        if len(self._open.starts) == self.samples_per_shard:
            self._finish()

    def close(self) -> None:
        """Finishes the last shard."""
        self._finish()

    def discard(self) -> None:
        """Drops the samples of the unfinished shard."""
        if self._open is not None:
            self.num_samples -= len(self._open.starts)
            self._open.discard()
            self._open = None

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            # A short shard in the middle would make the resumed run differ from an unbroken one.
            self.discard()

    def _finish(self) -> None:
        if self._open is not None:
            self._open.finish()
            self._open = None
            self.num_shards += 1

    def _path(self, number: int) -> Path:
        return self.prefix.with_name(f"{self.prefix.name}-{number:06d}.tar")


def write_shard(path: Path, samples: Iterable[tuple[str, Mapping[str, bytes]]]) -> None:
    """Writes one shard with its layout beside it, whole or not at all.

    Args:
        path: of the shard; one that is there is replaced.
        samples: keys, and members by their endings.

    Raises:
        DataError: two samples have the same key.
    """
    shard = _OpenShard(path)
    try:
        for key, members in samples:
            shard.add(key, members)
    except BaseException:
        shard.discard()
        raise
    shard.finish()


class _OpenShard:
    """A shard in the making, under another name until it is whole."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.unfinished = path.with_name(f".{path.name}.unfinished")
        self.file: BinaryIO = self.unfinished.open("wb")
        self.tar = tarfile.open(fileobj=self.file, mode="w")  # noqa: SIM115
        self.keys: set[str] = set()
        self.starts: list[int] = []

    def add(self, key: str, members: Mapping[str, bytes]) -> None:
        if key in self.keys:
            raise DataError(f"the key {key!r} is in {self.path} already.\nKeys must be unique.")
        self.keys.add(key)
        self.starts.append(self.file.tell())
        for ending, content in members.items():
            # Owner and time stay at 0, so that bytes depend on content alone.
            member = tarfile.TarInfo(f"{key}.{ending}")
            member.size = len(content)
            self.tar.addfile(member, io.BytesIO(content))
        self.tar.members = []  # type: ignore[attr-defined]

    def finish(self) -> None:
        end = self.file.tell()
        self.tar.close()
        num_bytes = self.file.tell()
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        layout = Layout(num_bytes, np.array([*self.starts, end], dtype=np.int64), {})
        # The layout first: whoever sees the shard finds it there.
        write_text_atomically(Path(f"{self.path}{SUFFIX}"), layout_text(layout))
        os.replace(self.unfinished, self.path)

    def discard(self) -> None:
        self.file.close()
        self.unfinished.unlink(missing_ok=True)

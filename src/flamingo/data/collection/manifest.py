"""What stands beside the shards: how much is in them, their checksums, and where they came from."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from flamingo.data.collection.shard_plan import ShardRecord
from flamingo.foundation.errors import DataError
from flamingo.foundation.records import from_plain, json_text, write_text_atomically

MANIFEST = "manifest.json"
_FORMAT = 1
_LIBRARIES = ("flamingo-vlm", "selectolax", "resiliparse", "pillow", "datasketch", "av")


@dataclass(frozen=True)
class Manifest:
    """The contents of a folder of shards.

    Attributes:
        kind: of the samples: "pages", "pairs" or "videos", as `DatasetConfig` calls them.
        path: of the shards, relative to the folder, as a data set's path.
        num_samples: in all shards.
        num_visuals: images, or clips' frames, in all shards.
        num_words: in all texts.
        licenses: how many samples say that they are under which; "" for those that say nothing.
        shards: one record for each.
        settings: of the preparation, in full.
        input: a hash over the names of all pieces of the input.
        libraries: versions of what decided the bytes.
        format: of this file.
    """

    kind: str
    path: str
    num_samples: int
    num_visuals: int
    num_words: int
    licenses: dict[str, int]
    shards: tuple[ShardRecord, ...]
    settings: dict[str, Any]
    input: str
    libraries: dict[str, str] = field(default_factory=dict)
    format: int = _FORMAT

    @classmethod
    def of(
        cls,
        kind: str,
        prefix: str,
        shards: Sequence[ShardRecord],
        settings: Mapping[str, Any],
        input_names: Sequence[str],
    ) -> Manifest:
        """Adds the shards up."""
        licenses: Counter[str] = Counter()
        for shard in shards:
            licenses.update(shard.licenses)
        return cls(
            kind=kind,
            path=f"{prefix}-*.tar",
            num_samples=sum(shard.num_samples for shard in shards),
            num_visuals=sum(shard.num_visuals for shard in shards),
            num_words=sum(shard.num_words for shard in shards),
            licenses=dict(sorted(licenses.items())),
            shards=tuple(shards),
            settings=dict(settings),
            input=hash_of_names(input_names),
            libraries={name: _version(name) for name in _LIBRARIES},
        )

    def write(self, folder: Path) -> None:
        """Writes it into the folder of the shards."""
        write_text_atomically(folder / MANIFEST, json_text(self))


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder; None if there is none.

    Raises:
        DataError: it cannot be understood.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return None
    try:
        return from_plain(Manifest, json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise DataError(
            f"{path} is not what `flamingo prepare` writes: {error}\nRemove it, and prepare again."
        ) from error


def check_shards(folder: Path) -> list[str]:
    """What differs between the manifest of a folder and the shards in it, in words.

    Raises:
        DataError: there is no manifest, or it cannot be understood.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise DataError(f"{folder} has no {MANIFEST}, so nothing says what should be in it.")
    found = []
    for shard in manifest.shards:
        path = folder / shard.name
        if not path.is_file():
            found.append(f"{shard.name} is missing")
        elif path.stat().st_size != shard.num_bytes:
            found.append(f"{shard.name} has {path.stat().st_size} bytes, not {shard.num_bytes}")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != shard.sha256:
            found.append(f"{shard.name} has other bytes than it was written with")
    return found


def hash_of_names(names: Sequence[str]) -> str:
    """Equal for the same names in the same order."""
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"

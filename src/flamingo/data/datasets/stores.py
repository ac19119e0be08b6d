"""From the path in a data set's settings to its samples."""

from __future__ import annotations

import os
from collections.abc import Collection

from flamingo.data.datasets.addresses import expanded, is_folder
from flamingo.data.datasets.folders import FolderSamples
from flamingo.data.datasets.layouts import SCANS
from flamingo.data.datasets.raw_samples import Store
from flamingo.data.datasets.shards import ShardedSamples
from flamingo.foundation.errors import DataError


def open_store(path: str, *, endings: Collection[str], missing_shards: int = 0) -> Store:
    """The samples that a path stands for: shards, a folder, or files of JSON lines.

    Args:
        path: see `DatasetConfig`.
        endings: of the files that the samples of a folder are made of.
        missing_shards: how many shards may be gone.

    Raises:
        ConfigError: the pattern is impossible.
        DataError: there is nothing, it is of another kind, or too much of it is gone.
    """
    addresses = expanded(path)
    if not addresses:
        raise DataError(f"nothing fits the pattern {path}.\n{_WHERE.format(os.getcwd())}")
    others = [address for address in addresses if _ending(address) not in SCANS]
    if not others:
        return ShardedSamples(addresses, missing_shards=missing_shards)
    for address in others:
        if address.lower().endswith((".gz", ".tgz", ".zst", ".bz2", ".xz")):
            raise DataError(
                f"{address} is compressed.\nSingle samples are read from any place in a shard, "
                "which compression rules out. Unpack it first: gunzip FILE."
            )
    if addresses == others and len(others) == 1:
        if is_folder(others[0]):
            return FolderSamples(others[0], endings=endings)
        raise DataError(f"there is no folder {others[0]}.\n{_WHERE.format(os.getcwd())}")
    raise DataError(
        f"{path} leads to {others[0]}, which is no shard.\n"
        f"Shards end in {' or '.join(SCANS)}; a folder is given by itself, without a pattern."
    )


_WHERE = "Relative paths start at the current folder, {}. Check the spelling."


def _ending(address: str) -> str:
    return os.path.splitext(address)[1].lower()

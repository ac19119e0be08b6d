"""What is in a shard of downloaded images: which address is where."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from flamingo.data.collection.sources.archives import Archive
from flamingo.data.collection.sources.safe_paths import path_below, read_bounded
from flamingo.data.datasets.scanning import split_name
from flamingo.foundation.errors import DataError

PARQUET_ERRORS = (pa.ArrowException, OSError, ValueError, KeyError)
IMAGE_COLUMN = "jpg"

_ENDINGS = ("jpg", "jpeg", "png", "webp")
_MAX_JSON_BYTES = 1 << 20


@dataclass(frozen=True)
class Listed:
    """One image of a shard.

    Attributes:
        url: where it is from.
        file: that holds it, by its path below the folder of the shards.
        start: its first byte in a tar, its row in a parquet file, and else 0.
        size: in bytes, in a tar; -1 elsewhere.
    """

    url: str
    file: str
    start: int = 0
    size: int = -1


def shard_names(folder: Path) -> list[str]:
    """The names of the shards in a folder, without endings, sorted."""
    return sorted(
        {
            path.stem
            for path in folder.iterdir()
            if not path.name.startswith(".")
            and (path.suffix in (".parquet", ".tar") or path.is_dir())
        }
    )


def images_of_shard(folder: Path, name: str) -> list[Listed]:
    """The images of a shard that were downloaded.

    Raises:
        DataError: the shard is damaged.
    """
    table, tar = folder / f"{name}.parquet", folder / f"{name}.tar"
    urls: dict[str, str] | None = None
    if table.is_file():
        try:
            file = pq.ParquetFile(table)
            with file:
                if IMAGE_COLUMN in file.schema_arrow.names:
                    return _of_rows(file, table.name)
                urls = _urls_by_key(file)
        except PARQUET_ERRORS as error:
            raise DataError(f"{table} cannot be read: {error}.") from error
    if tar.is_file():
        return _of_tar(tar, urls)
    return _of_folder(folder, name, urls) if (folder / name).is_dir() else []


def _of_rows(file: pq.ParquetFile, name: str) -> list[Listed]:
    urls = file.read(["url"]).column("url").to_pylist()
    # Not the images, which are large: whether one is there, its reader will see.
    return [Listed(url, name, row) for row, url in enumerate(urls) if isinstance(url, str)]


def _urls_by_key(file: pq.ParquetFile) -> dict[str, str]:
    columns = file.read(["key", "url"]).to_pydict()
    pairs = zip(columns["key"], columns["url"], strict=True)
    return {str(key): url for key, url in pairs if isinstance(url, str)}


def _of_tar(tar: Path, urls: Mapping[str, str] | None) -> list[Listed]:
    archive = Archive(tar)
    members = {name: split_name(name) for name in archive.names}
    if urls is None:
        urls = {
            split[0]: _url(archive.read(name, _MAX_JSON_BYTES))
            for name, split in members.items()
            if split is not None and split[1] == "json"
        }
    found = []
    for name, split in members.items():
        url = urls.get(split[0]) if split is not None and split[1] in _ENDINGS else None
        if url:
            start, size = archive.names[name]
            found.append(Listed(url, tar.name, start, size))
    return found


def _of_folder(folder: Path, name: str, urls: Mapping[str, str] | None) -> list[Listed]:
    found = []
    for base in sorted(os.listdir(folder / name)):
        key, _, ending = base.rpartition(".")
        if ending.lower() not in _ENDINGS:
            continue
        url = urls.get(key) if urls is not None else _url_beside(folder, f"{name}/{key}.json")
        if url:
            found.append(Listed(url, f"{name}/{base}"))
    return found


def _url_beside(folder: Path, name: str) -> str:
    path = path_below(folder, name)
    return "" if path is None else _url(read_bounded(path, _MAX_JSON_BYTES))


def _url(content: bytes) -> str:
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    url = fields.get("url") if isinstance(fields, dict) else None
    return url if isinstance(url, str) else ""

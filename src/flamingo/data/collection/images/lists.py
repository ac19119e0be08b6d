"""Lists of images for tools that download, such as img2dataset, on machines made for it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from flamingo.data.collection.pages import Page
from flamingo.data.collection.sources.addresses import address_hash
from flamingo.foundation.errors import ConfigError

_ROWS = 10_000
_SCHEMA = pa.schema([("url", pa.string()), ("alt", pa.string()), ("page", pa.string())])


def write_image_list(pages: Iterable[Page], path: str | Path) -> int:
    """Writes the address of every image, with its alternative text and its page, once.

    Images that are in their pages or in a folder are not listed: there is nothing to download.

    Args:
        pages: in order; of two images of one address the first is listed.
        path: ends in `.parquet` or `.jsonl`. img2dataset takes the first by `--input_format
            parquet --url_col url --caption_col alt`; what it makes is read by `DownloadedImages`.

    Returns:
        How many images are listed.

    Raises:
        ConfigError: the path ends in something else.
    """
    path = Path(path)
    writers: dict[str, type[_Rows]] = {".parquet": _ParquetRows, ".jsonl": _JsonRows}
    if path.suffix not in writers:
        raise ConfigError(f"{path} cannot be a list of images.\nEnd it in .parquet or .jsonl.")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    count = 0
    try:
        rows = writers[path.suffix](partial)
        try:
            for block in _blocks(_rows(pages)):
                rows.write(block)
                count += len(block)
        finally:
            rows.close()
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return count


class _Rows(Protocol):
    def __init__(self, path: Path) -> None: ...
    def write(self, rows: list[dict[str, str]]) -> None: ...
    def close(self) -> None: ...


class _ParquetRows(_Rows):
    def __init__(self, path: Path) -> None:
        self.writer: Any = pq.ParquetWriter(path, _SCHEMA)

    def write(self, rows: list[dict[str, str]]) -> None:
        self.writer.write_table(pa.Table.from_pylist(rows, _SCHEMA))

    def close(self) -> None:
        self.writer.close()


class _JsonRows(_Rows):
    def __init__(self, path: Path) -> None:
        self.file = path.open("w", encoding="utf-8")

    def write(self, rows: list[dict[str, str]]) -> None:
        self.file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    def close(self) -> None:
        self.file.close()


def _rows(pages: Iterable[Page]) -> Iterator[dict[str, str]]:
    seen: set[int] = set()
    for page in pages:
        for image in page.images:
            if not image.address.lower().startswith(("http://", "https://")):
                continue
            number = address_hash(image.address)
            if number not in seen:
                seen.add(number)
                row = {"url": image.address, "alt": image.alt, "page": page.address}
                # Half of a surrogate pair is no text that a file can hold.
                yield {name: text.encode("utf-8", "replace").decode() for name, text in row.items()}


def _blocks(rows: Iterator[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    block: list[dict[str, str]] = []
    for row in rows:
        block.append(row)
        if len(block) == _ROWS:
            yield block
            block = []
    if block:
        yield block

"""The signatures of a piece of the corpus as one file, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from flamingo.data.collection.deduplication.minhash import NUM_PERMUTATIONS
from flamingo.data.collection.deduplication.signatures import PageSignature
from flamingo.foundation.errors import DataError, reason

_NUMBERS = {
    "url": pa.uint64(),
    "domain": pa.uint64(),
    "moment": pa.int64(),
    "num_words": pa.int64(),
    "whole_text": pa.uint64(),
}
_LISTS = {
    "texts": pa.uint64(),
    "pixels": pa.uint64(),
    "looks": pa.uint64(),
    "has_look": pa.uint8(),
    "sources": pa.uint64(),
}
_SCHEMA = pa.schema(
    [
        ("address", pa.large_binary()),
        *_NUMBERS.items(),
        ("minhash", pa.list_(pa.uint32(), NUM_PERMUTATIONS)),
        *((name, pa.large_list(kind)) for name, kind in _LISTS.items()),
    ]
)


class SignatureTable:
    """The signatures of many pages, in order; columns are views of the file, read when looked at.

    Args:
        table: of the columns of `PageSignature`.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table.combine_chunks()

    @classmethod
    def of(cls, signatures: Iterable[PageSignature]) -> SignatureTable:
        """The signatures of pages, in order."""
        rows = list(signatures)
        columns = [_column(rows, field) for field in _SCHEMA]
        return cls(pa.Table.from_arrays(columns, schema=_SCHEMA))

    @classmethod
    def from_bytes(cls, content: bytes) -> SignatureTable:
        """A table out of what `to_bytes` gave; keeps `content` in memory.

        Raises:
            DataError: it is something else.
        """
        return cls._read(pa.BufferReader(content), f"{len(content):,} bytes")

    @classmethod
    def open(cls, path: Path) -> SignatureTable:
        """A table in a file, which is mapped, not read: of a large one little is in memory.

        Raises:
            DataError: there is no such file, or it is something else.
        """
        try:
            source = pa.memory_map(str(path))
        except OSError as error:
            raise DataError(f"{path} cannot be opened: {reason(error)}. Check the path.") from error
        return cls._read(source, str(path))

    @classmethod
    def _read(cls, source: Any, name: str) -> SignatureTable:
        try:
            table = pa.ipc.open_file(source).read_all()
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(
                f"{name} holds no signatures of pages: {reason(error)}.\nMake them anew."
            ) from error
        if not table.schema.equals(_SCHEMA):
            raise DataError(
                f"{name} holds a table of other columns: {', '.join(table.schema.names)}.\n"
                "It was made by another version. Make the signatures anew."
            )
        return cls(table)

    def to_bytes(self) -> bytes:
        """The table as a file of Arrow; the same signatures give the same bytes."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, _SCHEMA) as writer:
            writer.write_table(self._table)
        content: bytes = sink.getvalue().to_pybytes()
        return content

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def address(self, number: int) -> str:
        """Of a page."""
        content: bytes = self._table.column("address")[number].as_py()
        return content.decode("utf-8", "replace")

    def numbers(self, name: str) -> npt.NDArray[Any]:
        """A column with one number for each page: `url`, `moment`, and so on."""
        return np.asarray(self._flat(name).to_numpy(zero_copy_only=True))

    def items(self, name: str) -> npt.NDArray[Any]:
        """A column with a list for each page, one list after the other: `texts`, and so on."""
        return np.asarray(self._flat(name).flatten().to_numpy(zero_copy_only=True))

    @cached_property
    def minhashes(self) -> npt.NDArray[np.uint32]:
        """`[pages, 128]`."""
        return self.items("minhash").reshape(-1, NUM_PERMUTATIONS)

    @cached_property
    def num_texts(self) -> npt.NDArray[np.int64]:
        """Of each page."""
        return self._lengths("texts")

    @cached_property
    def num_images(self) -> npt.NDArray[np.int64]:
        """Of each page."""
        return self._lengths("pixels")

    def _lengths(self, name: str) -> npt.NDArray[np.int64]:
        if len(self) == 0:
            return np.empty(0, np.int64)
        return np.diff(self._flat(name).offsets.to_numpy())

    def _flat(self, name: str) -> Any:
        """A column as one array: `combine_chunks` leaves one chunk, or none in an empty table."""
        column = self._table.column(name)
        return column.chunk(0) if column.num_chunks else pa.array([], column.type)


def _column(rows: Sequence[PageSignature], field: Any) -> Any:
    values = [getattr(row, field.name) for row in rows]
    if field.name == "address":
        return pa.array([one.encode("utf-8", "surrogatepass") for one in values], field.type)
    if field.name in _NUMBERS:
        return pa.array(values, field.type)
    flat = np.concatenate(values) if values else np.empty(0, np.uint64)
    items = pa.array(flat.astype(field.type.value_type.to_pandas_dtype()))
    if field.name == "minhash":
        return pa.FixedSizeListArray.from_arrays(items, NUM_PERMUTATIONS)
    offsets = np.cumsum([0, *(len(one) for one in values)], dtype=np.int64)
    return pa.LargeListArray.from_arrays(pa.array(offsets), items)

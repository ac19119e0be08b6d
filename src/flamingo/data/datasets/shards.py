"""Samples in shards: tars of WebDataset's layout, or files of JSON lines."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from flamingo.data.datasets.addresses import file_state, is_remote, read_range
from flamingo.data.datasets.layouts import layout_of
from flamingo.data.datasets.members import sample_of_line, sample_of_tar
from flamingo.data.datasets.raw_samples import BrokenSample, RawSample, printable
from flamingo.data.datasets.scanning import Layout, UnusableShard
from flamingo.foundation.errors import DataError
from flamingo.sequence.interleaved import counted

_NUM_REMOTE_READERS = 16
_NUM_SHOWN = 10


class ShardedSamples:
    """The samples of many shards under one numbering, each read when it is asked for.

    Only where each sample begins is kept in memory, 8 bytes a sample. A sample is read in one
    piece, its members being neighbors: one request to a remote store.

    Args:
        addresses: of the shards, in the order of the numbering.
        missing_shards: how many may be gone; they are left out.

    Raises:
        DataError: more are gone, one is compressed, or there is no sample at all.
    """

    def __init__(self, addresses: Sequence[str], *, missing_shards: int = 0) -> None:
        self.missing_shards = missing_shards
        self._gone: dict[str, str] = {}
        self._addresses: list[str] = []
        self._layouts: list[Layout] = []
        for address, layout in zip(addresses, _layouts(addresses), strict=True):
            if isinstance(layout, UnusableShard):
                self._gone[address] = str(layout)
            else:
                self._addresses.append(address)
                self._layouts.append(layout)
        self._check_gone()
        self._firsts = np.cumsum([0, *map(len, self._layouts)])
        if len(self) == 0:
            raise DataError(
                f"there is no sample in {', '.join(addresses[:_NUM_SHOWN])}.\n"
                f"{counted(len(addresses), 'shard')} named, {len(self._gone)} of them gone."
            )

    @property
    def missing(self) -> tuple[str, ...]:
        """The shards that are gone, or no longer what they were."""
        return tuple(self._gone)

    @property
    def fingerprint(self) -> str:
        """Depends on the names of the shards, wherever they are, and on what each one holds."""
        names = [address.rpartition("/")[2] for address in self._addresses]
        counts = [len(layout) for layout in self._layouts]
        return hashlib.blake2b(repr((names, counts)).encode(), digest_size=16).hexdigest()

    def __len__(self) -> int:
        return int(self._firsts[-1])

    def __getitem__(self, number: int) -> RawSample:
        """The sample of a number.

        Raises:
            BrokenSample: it cannot be used.
            DataError: its shard is gone, and no more may be.
        """
        shard = int(np.searchsorted(self._firsts, number, side="right")) - 1
        address, layout = self._addresses[shard], self._layouts[shard]
        position = number - int(self._firsts[shard])
        if fault := layout.faults.get(position):
            raise BrokenSample(fault.reason, printable(f"{address}: {fault.key}"))
        start, end = (int(edge) for edge in layout.starts[position : position + 2])
        content = self._content(address, start, end, position)
        if _is_tar(address):
            return sample_of_tar(content, address, start)
        return sample_of_line(content, address, position)

    def _content(self, address: str, start: int, end: int, position: int) -> bytes:
        try:
            content = _range_or_less(address, start, end)
            if len(content) == end - start:
                return content
            problem = f"it ends before byte {end:,}, where it once had more"
        except FileNotFoundError:
            problem = "it is gone"
        except OSError as error:
            problem = f"it cannot be read: {error}"
        self._gone[address] = problem
        self._check_gone()
        where = printable(f"{address}: sample {position}")
        raise BrokenSample(f"the shard cannot be used: {problem}", where)

    def _check_gone(self) -> None:
        if len(self._gone) <= self.missing_shards:
            return
        shown = [f"  {address}: {problem}" for address, problem in self._gone.items()]
        raise DataError(
            f"{counted(len(self._gone), 'shard')} cannot be used, and missing_shards allows for "
            f"{self.missing_shards}.\n" + "\n".join(shown[:_NUM_SHOWN]) + "\n"
            "Bring them back, or set missing_shards to do without them."
        )


def _range_or_less(address: str, start: int, end: int) -> bytes:
    try:
        return read_range(address, start, end)
    except DataError:
        # Some remote stores refuse a range that is not there instead of giving less.
        if file_state(address).num_bytes >= end:
            raise
        return b""


def _is_tar(address: str) -> bool:
    return os.path.splitext(address)[1].lower() == ".tar"


def _layouts(addresses: Sequence[str]) -> list[Layout | UnusableShard]:
    if not any(map(is_remote, addresses)):
        return [_layout_or_error(address) for address in addresses]
    # Each needs a few round trips; they are waited for together.
    with ThreadPoolExecutor(_NUM_REMOTE_READERS) as pool:
        return list(pool.map(_layout_or_error, addresses))


def _layout_or_error(address: str) -> Layout | UnusableShard:
    try:
        return layout_of(address)
    except UnusableShard as error:
        return error
    except DataError as error:
        raise DataError(f"{address}: {error}") from error

"""The layout of a shard without scanning it twice: from beside it, or from a cache on this disk."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from flamingo.data.datasets.addresses import FileState, file_state, is_remote, opened, read_file
from flamingo.data.datasets.scanning import (
    ByteFile,
    Fault,
    Layout,
    UnusableShard,
    scan_lines,
    scan_tar,
)
from flamingo.foundation.errors import DataError
from flamingo.foundation.records import write_text_atomically

SUFFIX = ".index.json"
"""What the layout of `X.tar` is called: `X.tar.index.json`."""
_FORMAT = 1

SCANS: dict[str, Callable[[ByteFile, int], Layout]] = {".tar": scan_tar, ".jsonl": scan_lines}
"""The kinds of shards, by the end of their names."""


def layout_of(address: str) -> Layout:
    """Where the samples of a shard are.

    Read from `ADDRESS.index.json` where that fits, else from the cache, else found by scanning
    and then kept in the cache.

    Raises:
        UnusableShard: the shard is gone, or is not what its name says.
        DataError: it is compressed, or cannot be reached.
    """
    try:
        state = file_state(address)
        layout = _read(address + SUFFIX, state)
        cached = _cache_file(address, state)
        if layout is None:
            layout = _read(str(cached), state)
        if layout is None:
            layout = _scanned(address, state)
            _keep(layout, cached)
    except FileNotFoundError as error:
        raise UnusableShard("it is gone") from error
    except OSError as error:
        raise UnusableShard(f"it cannot be read: {error}") from error
    return layout


def layout_text(layout: Layout) -> str:
    """A layout as the JSON that is kept beside a shard."""
    plain = {
        "format": _FORMAT,
        "bytes": layout.num_bytes,
        "starts": layout.starts.tolist(),
        "faults": {str(n): [fault.key, fault.reason] for n, fault in layout.faults.items()},
    }
    return json.dumps(plain, separators=(",", ":")) + "\n"


def _read(address: str, state: FileState) -> Layout | None:
    """The layout in a file; none if there is no such file, or it is of another shard."""
    try:
        plain = json.loads(read_file(address))
        layout = Layout(
            plain["bytes"],
            np.array(plain["starts"], dtype=np.int64),
            {int(n): Fault(*fault) for n, fault in plain["faults"].items()},
        )
        return layout if _fits(layout, plain["format"], state) else None
    except (OSError, DataError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        # Whatever is wrong with it: the shard itself has everything, only slower.
        return None


def _fits(layout: Layout, version: Any, state: FileState) -> bool:
    starts = layout.starts
    return bool(
        version == _FORMAT
        and layout.num_bytes == state.num_bytes
        and starts.ndim == 1
        and len(starts) > 0
        and starts[0] >= 0
        and (np.diff(starts) >= 0).all()
        and starts[-1] <= state.num_bytes
    )


def _scanned(address: str, state: FileState) -> Layout:
    scan = SCANS[os.path.splitext(address)[1].lower()]
    with opened(address) as file:
        return scan(file, state.num_bytes)


def _keep(layout: Layout, file: Path) -> None:
    try:
        write_text_atomically(file, layout_text(layout))
    except OSError:
        # A cache that cannot be written only costs another scan next time.
        return


def _cache_file(address: str, state: FileState) -> Path:
    folder = Path(os.path.expanduser(os.environ.get("FLAMINGO_CACHE") or "~/.cache/flamingo"))
    whole = address if is_remote(address) else os.path.abspath(address)
    key = repr((_FORMAT, whole, state.num_bytes, state.version))
    return folder / "indexes" / f"{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}.json"

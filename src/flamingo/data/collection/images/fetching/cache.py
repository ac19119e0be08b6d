"""What was fetched, and what will not be given: kept, so that nobody is asked twice."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from flamingo.data.collection.sources.addresses import canonical


@dataclass(frozen=True)
class Kept:
    """One entry.

    Attributes:
        content: the file; None if there is none.
        reason: why there is none; empty if there is.
        content_type: that the server told.
        moment: when it was fetched, in seconds since 1970.
    """

    content: bytes | None
    reason: str = ""
    content_type: str = ""
    moment: float = 0.0


@dataclass(frozen=True)
class FetchCache:
    """A folder of files by hashes of their addresses, each with a note beside it.

    The note comes last, so that a kill leaves whole entries; what it was about to write is
    fetched again.

    Args:
        folder: for the entries.
    """

    folder: Path

    def get(self, address: str) -> Kept | None:
        """The entry of an address; None if there is none that is whole."""
        stem = self._stem(address)
        try:
            note = json.loads(_with_ending(stem, "json").read_bytes())
            content = None
            if note["num_bytes"] is not None:
                content = _with_ending(stem, "bin").read_bytes()
                if len(content) != note["num_bytes"]:
                    return None
            return Kept(
                content, str(note["reason"]), str(note["content_type"]), float(note["moment"])
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, address: str, kept: Kept) -> None:
        """Keeps an entry, in the place of the one before."""
        stem = self._stem(address)
        stem.parent.mkdir(parents=True, exist_ok=True)
        if kept.content is not None:
            _write(_with_ending(stem, "bin"), kept.content)
        note = {
            "address": canonical(address),
            "content_type": kept.content_type,
            "moment": kept.moment,
            "num_bytes": None if kept.content is None else len(kept.content),
            "reason": kept.reason,
        }
        _write(_with_ending(stem, "json"), json.dumps(note).encode())

    def _stem(self, address: str) -> Path:
        name = hashlib.sha256(canonical(address).encode("utf-8", "surrogatepass")).hexdigest()
        return self.folder / name[:2] / name


def _with_ending(stem: Path, ending: str) -> Path:
    return stem.with_name(f"{stem.name}.{ending}")


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    partial.write_bytes(content)
    partial.replace(path)

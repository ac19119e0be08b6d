"""Arrays with a note, kept in one file: what was found out about an input once."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]


def save_arrays(path: Path, arrays: Arrays, note: Any, version: str) -> None:
    """Writes arrays and a note, whole or not at all.

    Args:
        path: of the file; the folder is made.
        arrays: by name.
        note: plain data.
        version: of the input; `load_arrays` gives nothing for another.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Of this process alone: others may be writing the same.
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    text = json.dumps({"version": version, "note": note}).encode()
    with partial.open("wb") as file:
        np.savez(file, _note=np.frombuffer(text, np.uint8), **dict(arrays))  # type: ignore[arg-type]
    partial.replace(path)


def load_arrays(path: Path, version: str) -> tuple[dict[str, npt.NDArray[Any]], Any] | None:
    """What was kept; None if there is none, it is damaged, or of another version."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            kept = json.loads(found["_note"].tobytes())
            if kept["version"] != version:
                return None
            return {name: found[name] for name in found.files if name != "_note"}, kept["note"]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None

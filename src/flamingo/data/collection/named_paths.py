"""Several paths in one setting."""

from __future__ import annotations

from pathlib import Path


def named_paths(given: str) -> list[Path]:
    """The paths that stand in a setting with commas between them."""
    return [Path(one.strip()).expanduser() for one in given.split(",") if one.strip()]

"""Official annotation files, which are not part of the project: read where they are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

_FOLDER = Path(__file__).resolve().parents[3].parent / "shared" / "fixtures"


def fixture_file(name: str) -> Path:
    """The file, or the test is skipped."""
    path = _FOLDER / name
    if not path.is_file():
        pytest.skip(f"needs the third-party file {path}")
    return path

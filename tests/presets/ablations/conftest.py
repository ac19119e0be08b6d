"""Tiny parts, written once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.presets.ablations.small_ablation import write_small_parts


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_small_parts(tmp_path_factory.mktemp("parts"))

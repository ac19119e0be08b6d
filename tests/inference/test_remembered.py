"""Budgets are refused when they are made, by the names that they have."""

from __future__ import annotations

from pathlib import Path

import pytest

from flamingo.foundation.errors import ConfigError, DataError
from flamingo.inference.remembered import Budgets


@pytest.mark.parametrize("name", ["visual_bytes", "support_bytes"])
def test_a_negative_budget_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} is -1, but must be at least 0"):
        Budgets(**{name: -1})
    assert getattr(Budgets(**{name: 0}), name) == 0


def test_a_file_is_no_visual_cache(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("not a folder")
    for wrong in (path, str(path), path / "below"):
        with pytest.raises(DataError, match=f"^{path} is a file, but .* kept in a folder"):
            Budgets(visual_cache=wrong)


def test_a_visual_cache_is_made_later(tmp_path: Path) -> None:
    Budgets(visual_cache=tmp_path)
    Budgets(visual_cache=str(tmp_path / "new" / "below"))
    assert not [*tmp_path.iterdir()]

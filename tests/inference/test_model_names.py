"""What may be said in place of a model, and what is told when it is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from flamingo.foundation.errors import CheckpointError
from flamingo.inference.model_names import find_model


def test_bundled_models_folders_and_hub_names(tmp_path: Path) -> None:
    assert (Path(find_model("miniature")) / "config.json").is_file()
    (tmp_path / "config.json").touch()
    assert find_model(tmp_path) == str(tmp_path)
    assert find_model("owner/name") == "owner/name"


def test_the_folder_of_a_run_is_told_apart_from_its_model(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/config.json").touch()
    with pytest.raises(CheckpointError, match=f"Its model is in it: {tmp_path}/model$"):
        find_model(tmp_path)


@pytest.mark.parametrize("name", ["miniatur", "a/b/c", "./missing"])
def test_what_is_nothing_of_these_is_told(name: str) -> None:
    with pytest.raises(CheckpointError, match="There is no model"):
        find_model(name)


def test_a_folder_of_something_else_is_told_with_what_is_in_it(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"holds: \(nothing\)"):
        find_model(tmp_path)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(CheckpointError, match=r"no config\.json.*\n?.*holds: notes\.txt"):
        find_model(tmp_path)

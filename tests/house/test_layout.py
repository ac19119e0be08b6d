"""Files stay small, are named for what they do, and have their tests beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.repository import ROOT, project_files

SOURCES = [path for path in project_files() if path.suffix == ".py"]
PACKAGE = ROOT / "src" / "flamingo"
MAX_LINES = {"src": 320, "tests": 400}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_small_and_has_a_telling_name(path: Path) -> None:
    num_lines = len(path.read_text(encoding="utf-8").splitlines())
    limit = MAX_LINES.get(path.relative_to(ROOT).parts[0], 300)
    assert num_lines <= limit, f"{num_lines} lines: does it do one thing?"
    assert path.stem not in {"utils", "util", "helpers", "common", "misc"}


def test_every_package_has_a_folder_of_tests() -> None:
    packages = [path for path in PACKAGE.iterdir() if (path / "__init__.py").exists()]
    missing = [path.name for path in packages if not (ROOT / "tests" / path.name).is_dir()]
    assert not missing, f"no tests for {missing}"


def test_every_package_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("__init__.py")
        if not path.read_text(encoding="utf-8").startswith('"""')
    ]
    assert not silent

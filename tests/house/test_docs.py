"""What the documents point at exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.repository import ROOT, project_files

DOCUMENTS = [path for path in project_files() if path.suffix == ".md"]
NAMED = re.compile(r"`((?:src|tests|docs|examples|benchmarks)/[\w./-]+)`")
LINKED = re.compile(r"\]\((?!\w+://|#)([^)#]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_and_linked_files_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = [ROOT / name for name in NAMED.findall(text)]
    linked = [document.parent / name for name in LINKED.findall(text)]
    missing = [str(path) for path in [*named, *linked] if not path.exists()]
    assert not missing

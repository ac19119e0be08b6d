"""Nothing in the repository points at the machine it was written on, or at a package registry."""

from __future__ import annotations

import re

import pytest

from tests.house.repository import ROOT, text_files

# Written in halves, so that this file does not find itself.
FORBIDDEN = {
    "a path of one machine": r"(?<![\w.])/(?:wor" + r"k|ro" + r"ot|opt/whe" + r"els)/",
    "a home folder": r"/(?:ho" + r"me|Us" + r"ers)/\w",
    "a package registry": r"--(?:extra-)?index" + r"-url|--find" + r"-links|pypi\.(?:org|python)",
    "an address on this network": r"https?://(?:local" + r"host|10\.|192\.168\.)",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, f"{what} in:\n" + "\n".join(found)

from __future__ import annotations

from pathlib import Path

import pytest

from flamingo.evaluation.groups import read_groups
from flamingo.foundation.errors import DataError

CSV = 'id,gender,skin_tone\n1,female,darker\n2,male,\n"3, b",male,lighter\n'
LINES = """\
{"id": 1, "gender": "female", "skin_tone": "darker"}
{"id": 2, "gender": "male", "skin_tone": null}

{"id": "3, b", "gender": "male", "skin_tone": "lighter"}
"""


@pytest.mark.parametrize(("name", "text"), [("g.csv", CSV), ("g.jsonl", LINES)])
def test_both_kinds_of_file_say_the_same(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_groups(tmp_path / name) == {
        "gender": {"1": "female", "2": "male", "3, b": "male"},
        "skin_tone": {"1": "darker", "3, b": "lighter"},
    }


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("g.csv", "image,gender\n1,male\n", "Line 2 of .* has no 'id'"),
        ("g.csv", "id,gender\n1,male,tall\n", "more fields than the header"),
        ("g.csv", "id\n1\n", "puts no query into a group"),
        ("g.csv", "id,gender\n1,male\n1,female\n", "gives '1' the gender 'female', and"),
        ("g.jsonl", '{"id": 1, "gender"}\n', "cannot be read"),
        ("g.jsonl", "[1]\n", "Line 1 of .* has no 'id'"),
        ("g.jsonl", '{"id": 1, "gender": ["male", "female"]}\n', "has one group of each attribute"),
    ],
)
def test_what_is_wrong_is_told(name: str, text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=told):
        read_groups(tmp_path / name)


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no file"):
        read_groups(tmp_path / "none.csv")

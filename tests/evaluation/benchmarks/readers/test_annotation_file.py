"""Annotation files are read, and what is wrong with one is told with its place."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.evaluation.benchmarks.readers.annotation_file import (
    existing,
    field_of,
    lines_of,
    list_of,
    place,
    read_csv,
    read_json,
    read_json_lines,
    texts_in,
)
from flamingo.foundation.errors import DataError


def test_the_first_of_several_files_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text("{}")
    (tmp_path / "images").mkdir()
    assert existing(tmp_path, "a.json", "b.json") == tmp_path / "b.json"
    assert existing(tmp_path, "val/", "images/") == tmp_path / "images"


def test_all_that_would_do_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"lacks a\.json or b\.json"):
        existing(tmp_path, "a.json", "b.json")


def test_a_file_is_no_folder_and_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "val").write_text("")
    (tmp_path / "a.json").mkdir()
    with pytest.raises(DataError, match="lacks val/"):
        existing(tmp_path, "val/")
    with pytest.raises(DataError, match=r"lacks a\.json"):
        existing(tmp_path, "a.json")


def test_json_with_a_mark_of_its_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"é": 1}', encoding="utf-8-sig")
    assert read_json(tmp_path / "a.json", dict) == {"é": 1}


def test_json_without_a_field(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1, "b": [{"a": [2], "c": 3}, {"c": 4}]}')
    assert read_json(tmp_path / "a.json", dict, without="a") == {"b": [{"c": 3}, {"c": 4}]}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"a": ', "is damaged: it is not JSON"),
        (b"", "is damaged: it is not JSON"),
        (b"\xff\xfe{}", "is damaged: it is not UTF-8"),
        (b"[]", "as a whole is no object, but list"),
        (b"[" * 100_000, "is damaged: it is not JSON"),
    ],
)
def test_damaged_json(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.json {why}"):
        read_json(path, dict)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no file .*a\.json"):
        read_json(tmp_path / "a.json", dict)


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n\n{"a": "x\u2028y"}\n')
    assert read_json_lines(path) == [{"a": 1}, {"a": "x\u2028y"}]
    path.write_text('{"a": 1}\n\n{"a": \n')
    with pytest.raises(DataError, match=r"a\.jsonl is damaged: line 3 is not JSON"):
        read_json_lines(path)
    path.write_text('{"a": 1}\n7\n')
    with pytest.raises(DataError, match=r"line 2 of .*a\.jsonl is no object, but whole number"):
        read_json_lines(path)


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text,more\n1,"a, ""b""\nc",2\n\n3,d,4\n')
    assert read_csv(path, ("id", "text")) == [
        {"id": "1", "text": 'a, "b"\nc', "more": "2"},
        {"id": "3", "text": "d", "more": "4"},
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "it lacks the column 'id'; it has nothing"),
        ("text\na\n", "it lacks the column 'id'; it has 'text'"),
        ("id,text\n1,a\n2\n", "the row that ends in line 3 has 1 fields, not 2"),
        ('id,text\n1,"a\n', "line 2 is not CSV"),
    ],
)
def test_damaged_csv(tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=rf"a\.csv is damaged: {why}"):
        read_csv(path, ("id",))


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=8)


@settings(max_examples=30)
@given(rows=st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_csv_that_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "written.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("a", "b"), *rows])
    assert [tuple(row.values()) for row in read_csv(path, ("b", "a"))] == rows


def test_lines(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a\n\nb c\n\n")
    assert lines_of(tmp_path / "a.txt") == ["a", "", "b c"]


RECORD: dict[str, Any] = {"id": 3, "share": 0.5, "text": "x", "all": ["a"], "is": True, "no": None}


@pytest.mark.parametrize(
    ("name", "kind"), [("id", int), ("share", float), ("id", float), ("text", str), ("all", list)]
)
def test_a_field_of_its_kind(name: str, kind: type) -> None:
    assert field_of(RECORD, name, "here", kind) == RECORD[name]


@pytest.mark.parametrize(
    ("name", "kind", "why"),
    [
        ("id", str, "the field 'id' of here is no text, but whole number"),
        ("share", int, "the field 'share' of here is no whole number, but number"),
        ("is", int, "the field 'is' of here is no whole number, but bool"),
        ("is", float, "the field 'is' of here is no number, but bool"),
        ("no", list, "the field 'no' of here is no list, but null"),
        ("other", str, "here lacks the field 'other'; it has 'id', 'share'"),
    ],
)
def test_a_field_of_another_kind(name: str, kind: type, why: str) -> None:
    with pytest.raises(DataError, match=why):
        field_of(RECORD, name, "here", kind)


def test_a_field_of_what_has_none() -> None:
    with pytest.raises(DataError, match="here is no object, but list"):
        field_of([], "id", "here", int)


def test_a_list_of_one_kind() -> None:
    assert list_of({"a": ["x", "y"]}, "a", "here", str) == ("x", "y")
    with pytest.raises(DataError, match="entry 2 of 'a' of here is no text, but null"):
        list_of({"a": ["x", None]}, "a", "here", str)


def test_texts_in_a_list_of_objects() -> None:
    assert texts_in({"a": [{"t": "x"}, {"t": "y"}]}, "a", "t", "here") == ("x", "y")
    with pytest.raises(DataError, match="entry 2 of 'a' of here lacks the field 't'"):
        texts_in({"a": [{"t": "x"}, {}]}, "a", "t", "here")
    with pytest.raises(DataError, match="entry 1 of 'a' of here is no object, but text"):
        texts_in({"a": ["x"]}, "a", "t", "here")


def test_the_place_of_a_record() -> None:
    path = Path("a.json")
    assert place(path, 3) == "record 3 of a.json"
    assert place(path, 3, "images") == "record 3 of `images` in a.json"


@settings(max_examples=30)
@given(st.recursive(st.none() | st.booleans() | st.floats() | TEXT, st.lists, max_leaves=4))
def test_any_json_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: object
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(content))
    if isinstance(content, list):
        assert repr(read_json(path, list)) == repr(content)
    else:
        with pytest.raises(DataError):
            read_json(path, list)

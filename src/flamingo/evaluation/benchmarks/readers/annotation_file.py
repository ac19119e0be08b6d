"""Annotation files as JSON, JSON lines or CSV; what is wrong with one is told with its place."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

from flamingo.foundation.errors import DataError

T = TypeVar("T")

_AGAIN = "Get the file again from the benchmark's official place, and do not change it."
_KINDS = {str: "text", int: "whole number", float: "number", list: "list", dict: "object"}


def existing(folder: Path, name: str, *alternatives: str) -> Path:
    """The first of several files that is there.

    Args:
        folder: where they are looked for.
        name: of a file, relative to the folder; of a folder if it ends in "/".
        alternatives: other names that would do as well.

    Raises:
        DataError: none is there; the message names all that would do.
    """
    names = (name, *alternatives)
    for one in names:
        path = folder / one
        if path.is_dir() if one.endswith("/") else path.is_file():
            return path
    if not folder.is_dir():
        raise DataError(
            f"there is no folder {folder}, in which {' or '.join(names)} should be.\n"
            "Check the spelling, or get the benchmark from its official place."
        )
    raise DataError(
        f"{folder} lacks {' or '.join(names)}.\n"
        "Get it from the benchmark's official place, and put it there under this name."
    )


def read_json(path: Path, kind: type[T], without: str | None = None) -> T:
    """The content of a JSON file.

    Args:
        path: the file.
        kind: what it holds as a whole: `dict` or `list`.
        without: a field that is left out of every object, at once, so that it takes no memory.

    Raises:
        DataError: it is missing, is not JSON, or holds something else.
    """

    def lessened(record: dict[str, Any]) -> dict[str, Any]:
        record.pop(str(without), None)
        return record

    try:
        found = json.loads(_text(path), object_hook=None if without is None else lessened)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"it is not JSON: {error}", error) from error
    return _checked(found, kind, f"{path} as a whole")


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file with one JSON object in each line; empty lines are passed over.

    Raises:
        DataError: it is missing, or a line holds no object.
    """
    records = []
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _damaged(path, f"line {number} is not JSON: {error}", error) from error
        records.append(_checked(record, dict, f"line {number} of {path}"))
    return records


def read_csv(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a CSV file whose first row names the columns.

    Args:
        path: the file.
        columns: those that it must have; it may have more.

    Raises:
        DataError: it is missing, lacks a column, or a row has another number of fields.
    """
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        header = next(reader, [])
        lacking = [name for name in columns if name not in header]
        if lacking:
            raise _damaged(path, f"it lacks the column {lacking[0]!r}; it has {_listed(header)}")
        rows = []
        for row in filter(None, reader):
            if len(row) != len(header):
                raise _damaged(
                    path,
                    f"the row that ends in line {reader.line_num} has {len(row)} fields, "
                    f"not {len(header)}",
                )
            rows.append(dict(zip(header, row, strict=True)))
    except csv.Error as error:
        raise _damaged(path, f"line {reader.line_num} is not CSV: {error}", error) from error
    return rows


def lines_of(path: Path) -> list[str]:
    """The lines of a text file, without empty ones at its end.

    Raises:
        DataError: it is missing or is not text.
    """
    return _text(path).rstrip().split("\n")


def place(path: Path, number: int, part: str = "") -> str:
    """How errors call a record: "record 3 of `questions` in FILE".

    Args:
        path: the file.
        number: of the record, counted from 1.
        part: the list in the file that the record is in, if it has several.
    """
    return f"record {number} of {f'`{part}` in ' if part else ''}{path}"


def field_of(record: object, name: str, where: str, kind: type[T]) -> T:
    """A field that a record must have.

    Args:
        record: an object of an annotation file.
        name: the field's.
        where: how errors call the record, see `place`.
        kind: `str`, `int`, `float`, `list` or `dict`.

    Raises:
        DataError: the record is no object, lacks the field, or holds something else in it.
    """
    # There are millions of fields: what only an error says is not put together before one.
    if isinstance(record, dict) and name in record and _is(record[name], kind):
        return record[name]
    fields = _checked(record, dict, where)
    if name not in fields:
        raise DataError(f"{where} lacks the field {name!r}; it has {_listed(fields)}.\n{_AGAIN}")
    return _checked(fields[name], kind, f"the field {name!r} of {where}")


def list_of(record: object, name: str, where: str, kind: type[T]) -> tuple[T, ...]:
    """A field that holds a list, all of one kind.

    Raises:
        DataError: the record lacks it, or something in it is of another kind.
    """
    found: list[Any] = field_of(record, name, where, list)
    return tuple(
        _checked(one, kind, f"entry {number} of {name!r} of {where}")
        for number, one in enumerate(found, start=1)
    )


def texts_in(record: object, name: str, inner: str, where: str) -> tuple[str, ...]:
    """A text of each object in a list, such as the field `answer` of each of the `answers`.

    Args:
        record: an object of an annotation file.
        name: of its field that holds the list.
        inner: of the field that each object in the list has.
        where: how errors call the record.

    Raises:
        DataError: the record lacks the list, or an object in it lacks the text.
    """
    found = field_of(record, name, where, list)
    texts: tuple[Any, ...] = tuple(
        one.get(inner) if isinstance(one, dict) else None for one in found
    )
    if all(isinstance(text, str) for text in texts):
        return texts
    return tuple(
        field_of(one, inner, f"entry {number} of {name!r} of {where}", str)
        for number, one in enumerate(found, start=1)
    )


def _is(value: object, kind: type[T]) -> TypeGuard[T]:
    """Whether it is of a kind; a whole number is a number too, and true and false are none."""
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, kind) or (kind is float and isinstance(value, int))


def _checked(value: object, kind: type[T], what: str) -> T:
    if _is(value, kind):
        return value
    wanted = _KINDS.get(kind, kind.__name__)
    found = "null" if value is None else _KINDS.get(type(value), type(value).__name__)
    raise DataError(f"{what} is no {wanted}, but {found}.\n{_AGAIN}")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(
            f"there is no file {path}.\nGet it from the benchmark's official place."
        ) from error
    except UnicodeDecodeError as error:
        raise _damaged(path, f"it is not UTF-8: {error}", error) from error
    except OSError as error:
        raise DataError(f"{path} cannot be opened: {error.strerror}.\nCheck it.") from error


def _damaged(path: Path, why: str, cause: Exception | None = None) -> DataError:
    error = DataError(f"{path} is damaged: {why}.\n{_AGAIN}")
    error.__cause__ = cause
    return error


def _listed(names: Sequence[str] | dict[str, Any]) -> str:
    return ", ".join(map(repr, list(names)[:12])) or "nothing"

"""Which group each query belongs to: people of an image by gender, by skin tone, and so on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flamingo.foundation.errors import DataError

ID = "id"
Groups = Mapping[str, Mapping[str, str]]
"""By attribute ("gender") the group ("female") of each query, by its id."""


def read_groups(path: Path) -> Groups:
    """Reads a CSV file with a header, or a file of JSON lines.

    One column is named "id"; each other one is an attribute. An empty field, or null, says that
    nothing is known of this query.

    Raises:
        DataError: the file is missing or damaged, has no ids or no attribute, or gives two groups
            to one query.
    """
    if not path.is_file():
        raise DataError(
            f"There is no file {path}.\nGive a CSV or JSON lines file with the columns id and, "
            "for instance, gender and skin_tone."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = _json_rows(text) if path.suffix in (".jsonl", ".json") else _csv_rows(text)
        return _by_attribute(rows, path)
    except (UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
        raise DataError(
            f"{path} cannot be read: {error}.\nFiles that end in .jsonl or .json hold one JSON "
            "object per line; all others are read as CSV with commas."
        ) from error


def _csv_rows(text: str) -> Iterator[tuple[int, Any]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    for row in reader:
        yield reader.line_num, row


def _json_rows(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, json.loads(line)


def _by_attribute(rows: Iterator[tuple[int, Any]], path: Path) -> Groups:
    found: dict[str, dict[str, str]] = {}
    for number, row in rows:
        if not isinstance(row, dict) or None in row or row.get(ID) in (None, ""):
            raise DataError(
                f"Line {number} of {path} has no {ID!r}, or more fields than the header: {row!r}."
                f"\nEach line needs a column {ID!r} and a column for each attribute."
            )
        query = str(row[ID])
        for attribute, group in row.items():
            if attribute == ID:
                continue
            own = found.setdefault(attribute, {})
            if group is None or str(group).strip() == "":
                continue
            if isinstance(group, (list, dict)):
                raise DataError(
                    f"Line {number} of {path} gives {query!r} as {attribute} {group!r}.\n"
                    "A query has one group of each attribute: give a name, or leave it out."
                )
            name = str(group).strip()
            if own.setdefault(query, name) != name:
                raise DataError(
                    f"Line {number} of {path} gives {query!r} the {attribute} {name!r}, and an "
                    f"earlier line {own[query]!r}.\nLeave one of them, or neither."
                )
    if not any(found.values()):
        raise DataError(
            f"{path} puts no query into a group.\nBesides {ID!r} it needs a column for each "
            "attribute, such as gender, with a group in some of its lines."
        )
    return found

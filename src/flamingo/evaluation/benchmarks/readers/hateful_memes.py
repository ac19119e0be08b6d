"""HatefulMemes: is a picture with these words on it hateful?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flamingo.evaluation.benchmarks.item import Item, Media, Pool
from flamingo.evaluation.benchmarks.readers.annotation_file import (
    existing,
    field_of,
    place,
    read_json_lines,
)
from flamingo.evaluation.benchmarks.readers.parts import part_of
from flamingo.evaluation.benchmarks.readers.pools import pool_of
from flamingo.evaluation.benchmarks.readers.texts import one_line
from flamingo.foundation.errors import DataError

_PARTS = ("train", "dev_seen", "dev_unseen", "test_seen", "test_unseen")
_FILES = {part: f"{part}.jsonl" for part in _PARTS}
ANSWERS = ("no", "yes")
"""By label; the second one is hateful."""


def read_hateful_memes(folder: Path, part: str) -> Pool:
    """Reads a part of HatefulMemes.

    The first release has no labels in the test parts: their items have no references then. That
    later releases have them is from memory, not checked against the files.

    Raises:
        ConfigError: there is no such part.
        DataError: a file or folder is missing or damaged.
    """
    path = existing(folder, part_of(_FILES, part, "HatefulMemes"))
    # Each record names its picture with the folder: "img/01235.png".
    pictures = existing(folder, "img/").parent
    records = read_json_lines(path)
    has_labels = any("label" in record for record in records)
    return pool_of(
        (
            _item(pictures, record, place(path, number), has_labels)
            for number, record in enumerate(records, start=1)
        ),
        path,
        ANSWERS,
    )


def _item(folder: Path, record: dict[str, Any], where: str, has_labels: bool) -> Item:
    answer = _answer(record, where) if has_labels else ""
    return Item(
        id=Path(field_of(record, "img", where, str)).stem,
        media=(Media(folder / record["img"]),),
        fields={"meme_text": one_line(field_of(record, "text", where, str))},
        answer=answer,
        references=(answer,) if answer else (),
        details={"id": record["id"]} if "id" in record else {},
    )


def _answer(record: dict[str, Any], where: str) -> str:
    label = field_of(record, "label", where, int)
    if label not in (0, 1):
        raise DataError(
            f"the label of {where} is {label}, not 0 or 1.\nGet the file again from the "
            "benchmark's official place."
        )
    return ANSWERS[label]

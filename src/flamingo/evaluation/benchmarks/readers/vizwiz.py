"""VizWiz: questions of blind people about pictures that they took."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flamingo.evaluation.benchmarks.item import Item, Media, Pool
from flamingo.evaluation.benchmarks.readers.annotation_file import (
    existing,
    field_of,
    place,
    read_json,
    texts_in,
)
from flamingo.evaluation.benchmarks.readers.parts import part_of
from flamingo.evaluation.benchmarks.readers.pools import pool_of
from flamingo.evaluation.benchmarks.readers.texts import most_common, one_line

_HAS_ANSWERS = {"train": True, "val": True, "test": False}
_DETAILS = ("answer_type", "answerable", "answers")


def read_vizwiz(folder: Path, part: str) -> Pool:
    """Reads a part of VizWiz, whose "test" has no answers.

    Each picture has one question and none has a number, so an item's id is its picture's name
    without ending. The detail `answers` has the file's record of each answer.

    That files have no `question_id`, and answers no `answer_id`, is as surveyed;
    whether they lie in a folder `Annotations` is from memory, so both are accepted.

    Raises:
        ConfigError: there is no such part.
        DataError: a file or folder is missing or damaged.
    """
    has_answers = part_of(_HAS_ANSWERS, part, "VizWiz")
    path = existing(folder, f"{part}.json", f"Annotations/{part}.json", f"annotations/{part}.json")
    pictures = existing(folder, f"{part}/", f"images/{part}/", "images/")
    return pool_of(
        (
            _item(pictures, record, place(path, number), has_answers)
            for number, record in enumerate(read_json(path, list), start=1)
        ),
        path,
    )


def _item(pictures: Path, record: Any, where: str, has_answers: bool) -> Item:
    picture = pictures / field_of(record, "image", where, str)
    answers = texts_in(record, "answers", "answer", where) if has_answers else ()
    details = {name: record[name] for name in _DETAILS if name in record}
    return Item(
        id=picture.stem,
        media=(Media(picture),),
        fields={"question": one_line(field_of(record, "question", where, str))},
        answer=most_common(answers),
        references=answers,
        details={"image": picture.name, **details},
    )

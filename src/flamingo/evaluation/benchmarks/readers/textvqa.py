"""TextVQA: questions whose answers have to be read in the picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flamingo.evaluation.benchmarks.item import Item, Media, Pool
from flamingo.evaluation.benchmarks.readers.annotation_file import (
    existing,
    field_of,
    list_of,
    place,
    read_json,
)
from flamingo.evaluation.benchmarks.readers.parts import part_of
from flamingo.evaluation.benchmarks.readers.pools import pool_of
from flamingo.evaluation.benchmarks.readers.texts import most_common, one_line

_PICTURES = {"train": "train_images", "val": "train_images", "test": "test_images"}
"""By part the folder of its pictures; those of "val" are among the pictures of "train"."""


def read_textvqa(folder: Path, part: str) -> Pool:
    """Reads a part of TextVQA 0.5.1, whose "test" has no answers.

    The text that an OCR system found in the pictures is not used, as in the paper.

    The names of files and fields are from memory, not checked against the files.

    Raises:
        ConfigError: there is no such part.
        DataError: a file or folder is missing or damaged.
    """
    name = part_of(_PICTURES, part, "TextVQA")
    path = existing(folder, f"TextVQA_0.5.1_{part}.json")
    pictures = existing(folder, f"{name}/", f"images/{name}/", "images/")
    return pool_of(_items(path, pictures, has_answers=part != "test"), path)


def _items(path: Path, pictures: Path, *, has_answers: bool) -> Iterator[Item]:
    whole = read_json(path, dict)
    for number, record in enumerate(field_of(whole, "data", str(path), list), start=1):
        where = place(path, number, "data")
        question_id = field_of(record, "question_id", where, int)
        image_id = field_of(record, "image_id", where, str)
        answers = list_of(record, "answers", where, str) if has_answers else ()
        yield Item(
            id=str(question_id),
            media=(Media(pictures / f"{image_id}.jpg"),),
            fields={"question": one_line(field_of(record, "question", where, str))},
            answer=most_common(answers),
            references=answers,
            details={"question_id": question_id, "image_id": image_id},
        )

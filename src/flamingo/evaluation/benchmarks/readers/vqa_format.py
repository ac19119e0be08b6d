"""Questions about pictures of COCO in the format of the VQA challenge: VQAv2 and OK-VQA."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from flamingo.evaluation.benchmarks.item import Item, Media, Pool
from flamingo.evaluation.benchmarks.readers.annotation_file import (
    existing,
    field_of,
    place,
    read_json,
    texts_in,
)
from flamingo.evaluation.benchmarks.readers.coco_pictures import coco_file, coco_folder
from flamingo.evaluation.benchmarks.readers.parts import part_of
from flamingo.evaluation.benchmarks.readers.pools import pool_of
from flamingo.evaluation.benchmarks.readers.texts import most_common, one_line
from flamingo.foundation.errors import DataError


@dataclass(frozen=True)
class VqaFiles:
    """What a part consists of.

    Args:
        questions: name of the file with the questions.
        pictures: COCO's name of the pictures: "val2014".
        annotations: name of the file with the answers; none where they are hidden.
    """

    questions: str
    pictures: str
    annotations: str | None = None


VQAV2_FILES = {
    "train": VqaFiles(
        "v2_OpenEnded_mscoco_train2014_questions.json",
        "train2014",
        "v2_mscoco_train2014_annotations.json",
    ),
    "val": VqaFiles(
        "v2_OpenEnded_mscoco_val2014_questions.json",
        "val2014",
        "v2_mscoco_val2014_annotations.json",
    ),
    "test-dev": VqaFiles("v2_OpenEnded_mscoco_test-dev2015_questions.json", "test2015"),
    "test-std": VqaFiles("v2_OpenEnded_mscoco_test2015_questions.json", "test2015"),
}
OKVQA_FILES = {
    "train": VqaFiles(
        "OpenEnded_mscoco_train2014_questions.json",
        "train2014",
        "mscoco_train2014_annotations.json",
    ),
    "val": VqaFiles(
        "OpenEnded_mscoco_val2014_questions.json", "val2014", "mscoco_val2014_annotations.json"
    ),
}

_TYPES = ("question_type", "answer_type")


def read_vqav2(folder: Path, part: str) -> Pool:
    """Reads a part of VQAv2; those of the test have no answers, and "test-std" is all of it.

    The detail `answers` of a query has the file's record of each answer.

    Raises:
        ConfigError: there is no such part.
        DataError: a file or folder is missing or damaged.
    """
    files = part_of(VQAV2_FILES, part, "VQAv2")
    return _read(folder, files, shown="answer", keeps_records=part != "train")


def read_okvqa(folder: Path, part: str) -> Pool:
    """Reads a part of OK-VQA.

    References are the stemmed answers, with which a stemmed prediction is compared. A support
    shows what people wrote, the field `raw_answer`. The detail `answers` of a query has the
    file's record of each answer.

    Raises:
        ConfigError: there is no such part.
        DataError: a file or folder is missing or damaged.
    """
    files = part_of(OKVQA_FILES, part, "OK-VQA")
    return _read(folder, files, shown="raw_answer", keeps_records=part != "train")


def _read(folder: Path, files: VqaFiles, *, shown: str, keeps_records: bool) -> Pool:
    path = existing(folder, files.questions)
    items = _asked(path, coco_folder(folder, files.pictures), files.pictures)
    if files.annotations is not None:
        path_of_answers = existing(folder, files.annotations)
        items = _answered(items, path_of_answers, shown, keeps_records)
    return pool_of(items, path)


def _asked(path: Path, pictures: Path, part: str) -> Iterator[Item]:
    """The questions of a file, without answers."""
    whole = read_json(path, dict)
    for number, question in enumerate(field_of(whole, "questions", str(path), list), start=1):
        where = place(path, number, "questions")
        question_id = field_of(question, "question_id", where, int)
        image_id = field_of(question, "image_id", where, int)
        yield Item(
            id=str(question_id),
            media=(Media(pictures / coco_file(part, image_id)),),
            fields={"question": one_line(field_of(question, "question", where, str))},
            details={"question_id": question_id, "image_id": image_id},
        )


def _answered(items: Iterator[Item], path: Path, shown: str, keeps_records: bool) -> Iterator[Item]:
    """The same items, with the answers of a file of annotations.

    Their records are kept for queries alone: supports are many, and nobody scores them.
    """
    kept = (*_TYPES, "answers") if keeps_records else _TYPES
    whole = read_json(path, dict)
    annotations = {}
    for number, annotation in enumerate(field_of(whole, "annotations", str(path), list), start=1):
        where = place(path, number, "annotations")
        annotations[field_of(annotation, "question_id", where, int)] = (annotation, where)
    for item in items:
        question_id = item.details["question_id"]
        if question_id not in annotations:
            raise DataError(
                f"{path} has no answers to the question {question_id}, which is asked.\n"
                "Get the files of questions and of annotations from the same release."
            )
        annotation, where = annotations[question_id]
        details = {name: annotation[name] for name in kept if name in annotation}
        references = texts_in(annotation, "answers", "answer", where)
        as_shown = texts_in(annotation, "answers", shown, where)
        yield replace(
            item,
            answer=most_common(as_shown),
            references=references,
            details={**item.details, **details},
        )

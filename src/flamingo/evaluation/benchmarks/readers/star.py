"""STAR: what people do and could do in a situation, with four answers to choose from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flamingo.evaluation.benchmarks.item import Item, Pool
from flamingo.evaluation.benchmarks.readers.annotation_file import (
    existing,
    field_of,
    place,
    read_json,
    texts_in,
)
from flamingo.evaluation.benchmarks.readers.clips import clip
from flamingo.evaluation.benchmarks.readers.parts import part_of
from flamingo.evaluation.benchmarks.readers.pools import pool_of
from flamingo.evaluation.benchmarks.readers.texts import one_line
from flamingo.evaluation.benchmarks.readers.video_files import VideoFiles, videos_in
from flamingo.foundation.errors import DataError

_FILES = {part: f"STAR_{part}.json" for part in ("train", "val", "test")}
TYPES = ("Interaction", "Sequence", "Prediction", "Feasibility")
_AGAIN = "Get the file again from the benchmark's official place."


def read_star(folder: Path, part: str) -> Pool:
    """Reads a part of STAR, whose "test" has no answers.

    A question is about a stretch of a video of Charades. Its type is the beginning of its id,
    as in "Interaction_T1_13". The fields of the files are from memory, not checked against them.

    Raises:
        ConfigError: there is no such part.
        DataError: a file or folder is missing or damaged.
    """
    path = existing(folder, part_of(_FILES, part, "STAR"))
    videos = videos_in(folder, "Charades_v1_480/", "videos/", "video/")
    records = enumerate(read_json(path, list), start=1)
    return pool_of(
        (
            _item(record, place(path, number), videos, has_answer=part != "test")
            for number, record in records
        ),
        path,
    )


def _item(record: Any, where: str, videos: VideoFiles, *, has_answer: bool) -> Item:
    question_id = field_of(record, "question_id", where, str)
    candidates = tuple(map(one_line, texts_in(record, "choices", "choice", where)))
    answer = one_line(field_of(record, "answer", where, str)) if has_answer else ""
    if has_answer and answer not in candidates:
        raise DataError(
            f"the answer {answer!r} of {where} is none of its choices "
            f"{', '.join(map(repr, candidates))}.\n{_AGAIN}"
        )
    return Item(
        id=question_id,
        media=(
            clip(
                videos.path_of(field_of(record, "video_id", where, str)),
                field_of(record, "start", where, float),
                field_of(record, "end", where, float),
                where,
            ),
        ),
        fields={"question": one_line(field_of(record, "question", where, str))},
        answer=answer,
        references=(answer,) if has_answer else (),
        candidates=candidates,
        details={"type": _type_of(question_id, where)},
    )


def _type_of(question_id: str, where: str) -> str:
    name = question_id.partition("_")[0]
    if name not in TYPES:
        raise DataError(
            f"the question id {question_id!r} of {where} begins with none of the types "
            f"{', '.join(TYPES)}.\n{_AGAIN}"
        )
    return name

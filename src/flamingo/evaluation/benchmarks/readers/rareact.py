"""RareAct: unusual actions, such as blending a phone, to be found among ordinary ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from flamingo.evaluation.benchmarks.item import Item, Pool
from flamingo.evaluation.benchmarks.readers.action_phrase import action_phrase
from flamingo.evaluation.benchmarks.readers.annotation_file import existing, place, read_csv
from flamingo.evaluation.benchmarks.readers.clips import clip, seconds_of
from flamingo.evaluation.benchmarks.readers.parts import part_of
from flamingo.evaluation.benchmarks.readers.pools import pool_of
from flamingo.evaluation.benchmarks.readers.video_files import VideoFiles, videos_in
from flamingo.foundation.errors import DataError

_FILES = {"test": "rareact.csv"}
_COLUMNS = ("id", "video_id", "start", "end", "class_id", "verb", "noun", "annotation")
_AGAIN = "Get the file again from the benchmark's official place, and do not change it."
POSITIVE = 1
"""The annotation of a clip that shows the action; 0 and 2 to 4 say why it does not."""


def read_rareact(folder: Path, part: str) -> Pool:
    """Reads RareAct, which has one part, "test": every row of the file is an item.

    The candidates are the actions of all classes, in the order of their numbers. A row tells of
    one action only whether its clip shows it: where it does, this action is the item's answer.
    The details are what the metric needs: the video, the number of the class, its verb and noun,
    and the annotation.

    Raises:
        ConfigError: there is no such part.
        DataError: a file or folder is missing or damaged.
    """
    path = existing(folder, part_of(_FILES, part, "RareAct"))
    rows = read_csv(path, _COLUMNS)
    videos = videos_in(folder, "videos/", "video/", "rareact/")
    candidates = _actions(rows, path)
    return pool_of(
        (
            _item(row, place(path, number), videos, candidates)
            for number, row in enumerate(rows, start=1)
        ),
        path,
        candidates,
    )


def _item(
    row: Mapping[str, str], where: str, videos: VideoFiles, candidates: Sequence[str]
) -> Item:
    number, annotation = _whole(row, "class_id", where), _whole(row, "annotation", where)
    action = candidates[number] if annotation == POSITIVE else ""
    start, end = seconds_of(row, "start", where), seconds_of(row, "end", where)
    return Item(
        id=row["id"],
        media=(clip(videos.path_of(row["video_id"]), start, end, where),),
        answer=action,
        references=(action,) if action else (),
        details={
            "video": row["video_id"],
            "class": number,
            "verb": row["verb"],
            "noun": row["noun"],
            "annotation": annotation,
        },
    )


def _actions(rows: Sequence[Mapping[str, str]], path: Path) -> tuple[str, ...]:
    """By number of a class its action."""
    found: dict[int, tuple[str, str]] = {}
    for row_number, row in enumerate(rows, start=1):
        where = place(path, row_number)
        number, action = _whole(row, "class_id", where), (row["verb"], row["noun"])
        if found.setdefault(number, action) != action:
            raise DataError(
                f"class {number} is {' '.join(action)!r} in {where}, but "
                f"{' '.join(found[number])!r} before.\n{_AGAIN}"
            )
    lacking = sorted(set(range(len(found))) - set(found))
    if lacking:
        raise DataError(
            f"{path} has {len(found)} classes, but none of them has the number {lacking[0]}.\n"
            f"{_AGAIN}"
        )
    return tuple(action_phrase(*found[number]) for number in range(len(found)))


def _whole(row: Mapping[str, str], column: str, where: str) -> int:
    if not row[column].isdecimal():
        raise DataError(
            f"the column {column!r} of {where} is no whole number, but {row[column]!r}.\n{_AGAIN}"
        )
    return int(row[column])

"""MSVDQA and MSRVTTQA: questions about short clips, made from their captions, in one JSON list."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from flamingo.evaluation.benchmarks.item import Item, Media, Pool
from flamingo.evaluation.benchmarks.readers.annotation_file import (
    existing,
    field_of,
    lines_of,
    place,
    read_json,
)
from flamingo.evaluation.benchmarks.readers.parts import part_of
from flamingo.evaluation.benchmarks.readers.pools import pool_of
from flamingo.evaluation.benchmarks.readers.texts import one_line
from flamingo.evaluation.benchmarks.readers.video_files import videos_in
from flamingo.foundation.errors import DataError

_FILES = {part: f"{part}_qa.json" for part in ("train", "val", "test")}


def read_msvdqa(folder: Path, part: str) -> Pool:
    """Reads a part of MSVDQA.

    Clip number 7 is `vid7.avi`, or it has the name that MSVD gave it, which is made of its
    YouTube address and its times: `youtube_mapping.txt` says "-4wsuPCjDBc_5_15 vid7". That these
    lines look so is from memory, not checked against the file.

    Raises:
        ConfigError: there is no such part.
        DataError: a file or folder is missing or damaged.
    """
    path = existing(folder, part_of(_FILES, part, "MSVDQA"))
    videos = videos_in(folder, "video/", "videos/", "YouTubeClips/", ending="avi")
    youtube = _youtube_names(folder / "youtube_mapping.txt")

    @cache
    def video(number: int) -> Path:
        name = f"vid{number}"
        return videos.path_of(name, youtube.get(name, name))

    return _pool(path, video)


def read_msrvttqa(folder: Path, part: str) -> Pool:
    """Reads a part of MSRVTTQA, whose clip number 7 is `video7.mp4`.

    Raises:
        ConfigError: there is no such part.
        DataError: a file or folder is missing or damaged.
    """
    path = existing(folder, part_of(_FILES, part, "MSRVTTQA"))
    videos = videos_in(folder, "video/", "videos/", "TrainValVideo/", "TestVideo/")
    return _pool(path, cache(lambda number: videos.path_of(f"video{number}")))


def _pool(path: Path, video: Callable[[int], Path]) -> Pool:
    records = enumerate(read_json(path, list), start=1)
    return pool_of((_item(record, place(path, number), video) for number, record in records), path)


def _item(record: Any, where: str, video: Callable[[int], Path]) -> Item:
    answer = field_of(record, "answer", where, str)
    return Item(
        id=str(field_of(record, "id", where, int)),
        media=(Media(video(field_of(record, "video_id", where, int))),),
        fields={"question": one_line(field_of(record, "question", where, str))},
        answer=one_line(answer),
        references=(answer,),
    )


def _youtube_names(path: Path) -> dict[str, str]:
    """By name of a clip in MSVDQA its name in MSVD; none without the file, which few need."""
    names = {}
    for number, line in enumerate(lines_of(path) if path.exists() else (), start=1):
        words = line.split()
        if len(words) != 2:
            raise DataError(
                f"line {number} of {path} is {line!r}, not a name of MSVD and one of MSVDQA.\n"
                "Get the file again from the benchmark's official place."
            )
        names[words[1]] = words[0]
    return names

"""VATEX: clips of ten seconds, each told in ten English sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
from flamingo.evaluation.benchmarks.readers.texts import one_line
from flamingo.evaluation.benchmarks.readers.video_files import VideoFiles, videos_in
from flamingo.foundation.errors import DataError

_FILES = {
    "train": "vatex_training_v1.0.json",
    "val": "vatex_validation_v1.0.json",
    "test": "vatex_public_test_english_v1.1.json",
}


def read_vatex(folder: Path, part: str) -> Pool:
    """Reads a part of VATEX: an item has all English captions as references, and shows the first.

    A video's id holds the YouTube address and the seconds at which the clip begins and ends, as
    in `_2zXAtOKXm0_000004_000014`; the file of this name is the clip alone. The names of the
    annotation files are from memory, not checked against the files.

    Raises:
        ConfigError: there is no such part.
        DataError: a file or folder is missing or damaged.
    """
    path = existing(folder, part_of(_FILES, part, "VATEX"))
    videos = videos_in(folder, "videos/", "video/")
    records = enumerate(read_json(path, list), start=1)
    return pool_of((_item(record, place(path, number), videos) for number, record in records), path)


def _item(record: Any, where: str, videos: VideoFiles) -> Item:
    video_id = field_of(record, "videoID", where, str)
    captions = list_of(record, "enCap", where, str)
    if not captions:
        raise DataError(
            f"{where} has no captions in 'enCap'.\nGet the file again from its official place."
        )
    media = (Media(videos.path_of(video_id)),)
    return Item(video_id, media, answer=one_line(captions[0]), references=captions)

"""YouCook2: videos of recipes, each step of which is told in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flamingo.evaluation.benchmarks.item import Item, Pool
from flamingo.evaluation.benchmarks.readers.annotation_file import (
    existing,
    field_of,
    list_of,
    place,
    read_json,
)
from flamingo.evaluation.benchmarks.readers.clips import clip
from flamingo.evaluation.benchmarks.readers.parts import part_of
from flamingo.evaluation.benchmarks.readers.pools import pool_of
from flamingo.evaluation.benchmarks.readers.texts import one_line
from flamingo.evaluation.benchmarks.readers.video_files import VideoFiles, videos_in
from flamingo.foundation.errors import DataError

_SUBSETS = {"train": "training", "val": "validation"}


def read_youcook2(folder: Path, part: str) -> Pool:
    """Reads a part of YouCook2: each annotated step of a video is an item.

    An item's id is the video's with the number of the step. Videos lie in `raw_videos` as the
    official script puts them there, `validation/101/<id>.mp4` where 101 is the recipe, or by
    their id alone; this is from memory, not checked against the script.

    Raises:
        ConfigError: there is no such part.
        DataError: a file or folder is missing or damaged.
    """
    subset = part_of(_SUBSETS, part, "YouCook2")
    path = existing(
        folder,
        "youcookii_annotations_trainval.json",
        "annotations/youcookii_annotations_trainval.json",
    )
    videos = videos_in(folder, "raw_videos/", "videos/", "video/")
    database = field_of(read_json(path, dict), "database", str(path), dict)
    return pool_of(
        (
            item
            for name, record in database.items()
            if field_of(record, "subset", _called(name, path), str) == subset
            for item in _steps(name, record, path, videos)
        ),
        path,
    )


def _called(name: str, path: Path) -> str:
    return f"the video {name!r} in {path}"


def _steps(name: str, record: Any, path: Path, videos: VideoFiles) -> Iterator[Item]:
    where = _called(name, path)
    recipe = field_of(record, "recipe_type", where, str)
    video = videos.path_of(f"{record['subset']}/{recipe}/{name}", name)
    for number, step in enumerate(field_of(record, "annotations", where, list)):
        what = place(path, number + 1, f"{name}.annotations")
        segment = list_of(step, "segment", what, float)
        if len(segment) != 2:
            raise DataError(
                f"the segment of {what} has {len(segment)} times, not a beginning and an end.\n"
                "Get the file again from the benchmark's official place."
            )
        sentence = field_of(step, "sentence", what, str)
        yield Item(
            id=f"{name}/{number}",
            media=(clip(video, *segment, what),),
            answer=one_line(sentence),
            references=(sentence,),
        )

"""iVQA: questions about clips of instruction videos, each answered by five people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flamingo.evaluation.benchmarks.item import Item, Pool
from flamingo.evaluation.benchmarks.readers.annotation_file import existing, place, read_csv
from flamingo.evaluation.benchmarks.readers.clips import clip, seconds_of
from flamingo.evaluation.benchmarks.readers.parts import part_of
from flamingo.evaluation.benchmarks.readers.pools import pool_of
from flamingo.evaluation.benchmarks.readers.texts import most_common, one_line
from flamingo.evaluation.benchmarks.readers.video_files import VideoFiles, videos_in

_FILES = {part: f"{part}.csv" for part in ("train", "val", "test")}
_ANSWERS = tuple(f"answer{number}" for number in range(1, 6))


def read_ivqa(folder: Path, part: str) -> Pool:
    """Reads a part of iVQA: an item has all five answers as references, repetitions included.

    Videos are whole videos of HowTo100M, of which the question is about a stretch. The official
    file has no ids: an item's is the video's with the number of the row.

    Raises:
        ConfigError: there is no such part.
        DataError: a file or folder is missing or damaged.
    """
    path = existing(folder, part_of(_FILES, part, "iVQA"))
    videos = videos_in(folder, "video/", "videos/")
    rows = enumerate(read_csv(path, ("video_id", "start", "end", "question", *_ANSWERS)), start=1)
    return pool_of((_item(row, number, path, videos) for number, row in rows), path)


def _item(row: Mapping[str, str], number: int, path: Path, videos: VideoFiles) -> Item:
    where = place(path, number)
    answers = tuple(row[name] for name in _ANSWERS)
    start, end = seconds_of(row, "start", where), seconds_of(row, "end", where)
    return Item(
        id=f"{row['video_id']}/{number}",
        media=(clip(videos.path_of(row["video_id"]), start, end, where),),
        fields={"question": one_line(row["question"])},
        answer=most_common(answers),
        references=answers,
    )

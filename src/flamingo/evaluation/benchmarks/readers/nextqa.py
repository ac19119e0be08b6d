"""NextQA, open-ended: why and how people and animals do things, and when."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flamingo.evaluation.benchmarks.item import Item, Media, Pool
from flamingo.evaluation.benchmarks.readers.annotation_file import (
    existing,
    field_of,
    read_csv,
    read_json,
)
from flamingo.evaluation.benchmarks.readers.parts import part_of
from flamingo.evaluation.benchmarks.readers.pools import pool_of
from flamingo.evaluation.benchmarks.readers.texts import one_line
from flamingo.evaluation.benchmarks.readers.video_files import VideoFiles, videos_in
from flamingo.foundation.errors import DataError

_FILES = {part: f"{part}.csv" for part in ("train", "val", "test")}
_COLUMNS = ("video", "question", "answer", "qid", "type")


def read_nextqa(folder: Path, part: str) -> Pool:
    """Reads a part of NextQA with open-ended answers.

    An item's id is the video's with the question's. Its references are the answer, and the
    second one that `add_reference_answer_test.json` has for most questions of "test".

    Videos are those of VidOR; `map_vid_vidorID.json` says where each one is, as in
    "0101/2909445186". One that lies in the folder by its id alone is found as well.

    Raises:
        ConfigError: there is no such part.
        DataError: a file or folder is missing or damaged, or is that of multiple choice.
    """
    path = existing(folder, part_of(_FILES, part, "NextQA"))
    rows = read_csv(path, _COLUMNS)
    if rows and "a0" in rows[0]:
        raise DataError(
            f"{path} is the file of multiple choice: its answers are numbers of choices.\n"
            "Get the file of the same name of open-ended NExT-OE."
        )
    places = read_json(existing(folder, "map_vid_vidorID.json"), dict)
    videos = videos_in(folder, "NExTVideo/", "videos/", "video/")
    more = folder / f"add_reference_answer_{part}.json"
    second = read_json(more, dict) if more.exists() else {}
    return pool_of(
        (
            _item(row, _video(row["video"], places, folder, videos), _second(row, second, more))
            for row in rows
        ),
        path,
    )


def _item(row: Mapping[str, str], video: Path, second: tuple[str, ...]) -> Item:
    return Item(
        id=f"{row['video']}/{row['qid']}",
        media=(Media(video),),
        fields={"question": one_line(row["question"])},
        answer=one_line(row["answer"]),
        references=(row["answer"], *second),
        details={"type": row["type"]},
    )


def _video(name: str, places: dict[str, Any], folder: Path, videos: VideoFiles) -> Path:
    where = str(folder / "map_vid_vidorID.json")
    return videos.path_of(field_of(places, name, where, str), name)


def _second(row: Mapping[str, str], answers: dict[str, Any], path: Path) -> tuple[str, ...]:
    """The second reference answer of a question, if it has one."""
    if row["video"] not in answers:
        return ()
    of_video = field_of(answers, row["video"], str(path), dict)
    if row["qid"] not in of_video:
        return ()
    return (field_of(of_video, row["qid"], f"the video {row['video']} in {path}", str),)

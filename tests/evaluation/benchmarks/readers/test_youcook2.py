from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from flamingo.evaluation.benchmarks.item import Media
from flamingo.evaluation.benchmarks.readers.youcook2 import read_youcook2
from flamingo.foundation.errors import DataError
from tests.evaluation.benchmarks.video_folders import make_youcook2

FILE = "youcookii_annotations_trainval.json"


def test_each_step_is_an_item(tmp_path: Path) -> None:
    make_youcook2(tmp_path)
    items = read_youcook2(tmp_path, "val").items
    video = tmp_path / "raw_videos/validation/226/validation0.mp4"
    assert [item.id for item in items[:3]] == ["validation0/0", "validation0/1", "validation1/0"]
    assert items[0].media == (Media(video, 0.0, 1.0),)
    assert items[1].media == (Media(video, 1.0, 4.0),)
    assert items[1].answer == items[1].references[0] == "cook a green square moves right"


def test_videos_may_lie_in_one_folder_and_have_other_endings(tmp_path: Path) -> None:
    make_youcook2(tmp_path)
    video = tmp_path / "raw_videos/validation/226/validation1.mp4"
    (tmp_path / "videos").mkdir()
    shutil.move(video, tmp_path / "videos/validation1.mkv")
    found = read_youcook2(tmp_path, "val").items[2].media[0].path
    assert found == tmp_path / "videos/validation1.mkv"


@pytest.mark.parametrize(
    ("segment", "message"),
    [
        ([1], r"segment of record 2 of `validation0.annotations` in .* has 1 times"),
        ([4, 1], r"clip of record 2 of `validation0.annotations` in .* from 4 to 1 seconds"),
        (["a", 1], "entry 1 of 'segment' of record 2"),
    ],
)
def test_damage_is_told_with_its_place(tmp_path: Path, segment: list, message: str) -> None:
    make_youcook2(tmp_path)
    content = json.loads((tmp_path / FILE).read_text())
    content["database"]["validation0"]["annotations"][1]["segment"] = segment
    (tmp_path / FILE).write_text(json.dumps(content))
    with pytest.raises(DataError, match=message):
        read_youcook2(tmp_path, "val")

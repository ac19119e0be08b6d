from __future__ import annotations

from pathlib import Path

import pytest

from flamingo.evaluation.benchmarks.readers.question_list import read_msrvttqa, read_msvdqa
from flamingo.foundation.errors import DataError
from tests.evaluation.benchmarks.video_folders import make_msrvttqa, make_msvdqa


def test_a_question_of_msvdqa(tmp_path: Path) -> None:
    make_msvdqa(tmp_path)
    item = read_msvdqa(tmp_path, "train").items[0]
    assert item.media[0].path == tmp_path / "video/vid1.avi"
    assert item.fields == {"question": "what color is the square that moves?"}
    assert (item.id, item.answer, item.references) == ("100001", "green", ("green",))


def test_clips_by_the_names_of_msvd(tmp_path: Path) -> None:
    make_msvdqa(tmp_path)
    path = read_msvdqa(tmp_path, "test").items[0].media[0].path
    assert path == tmp_path / "YouTubeClips/-4wsuPCjDBc_1301_1310.avi"
    (tmp_path / "youtube_mapping.txt").unlink()
    path = read_msvdqa(tmp_path, "test").items[0].media[0].path
    assert path == tmp_path / "video/vid1301.avi"


def test_a_damaged_mapping_is_told_with_its_line(tmp_path: Path) -> None:
    make_msvdqa(tmp_path)
    (tmp_path / "youtube_mapping.txt").write_text("a vid1\nvid2\n")
    with pytest.raises(DataError, match=r"line 2 of .*youtube_mapping\.txt is 'vid2'"):
        read_msvdqa(tmp_path, "test")


def test_clips_of_msrvttqa_are_in_two_folders(tmp_path: Path) -> None:
    make_msrvttqa(tmp_path)
    train, test = (read_msrvttqa(tmp_path, part).items[0] for part in ("train", "test"))
    assert train.media[0].path == tmp_path / "TrainValVideo/video0.mp4"
    assert test.media[0].path == tmp_path / "TestVideo/video7010.mp4"
    assert test.references == ("blue",)

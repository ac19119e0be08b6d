from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flamingo.evaluation.benchmarks.readers.kinetics import read_kinetics
from flamingo.foundation.errors import DataError
from tests.evaluation.benchmarks.video_folders import make_kinetics700

NAME = "val______00_000000_000010.mp4"


def test_a_clip_has_one_of_the_sorted_classes(tmp_path: Path) -> None:
    make_kinetics700(tmp_path)
    pool = read_kinetics(tmp_path, "val")
    assert pool.candidates == ("air drumming", "playing squash or racquetball", "washing dishes")
    item = pool.items[0]
    assert item.media[0].path == tmp_path / "val/washing dishes" / NAME
    assert (item.media[0].start, item.media[0].end) == (None, None)
    assert (item.answer, item.references) == ("washing dishes", ("washing dishes",))


def test_classes_without_a_folder_of_the_part(tmp_path: Path) -> None:
    make_kinetics700(tmp_path)
    for folder in (tmp_path / "val").iterdir():
        shutil.move(folder, tmp_path / folder.name)
    assert read_kinetics(tmp_path, "val").items[0].media[0].path == (
        tmp_path / "washing dishes" / NAME
    )


def test_clips_of_a_part_without_folders_of_classes(tmp_path: Path) -> None:
    make_kinetics700(tmp_path)
    for clip in list((tmp_path / "val").rglob("*.mp4")):
        clip.rename(tmp_path / "val" / clip.name)
    for folder in [path for path in (tmp_path / "val").iterdir() if path.is_dir()]:
        folder.rmdir()
    for item in read_kinetics(tmp_path, "val").items:
        assert item.media[0].path.is_file()


def test_a_class_without_clips_is_no_error(tmp_path: Path) -> None:
    make_kinetics700(tmp_path)
    shutil.rmtree(tmp_path / "val/washing dishes")
    assert read_kinetics(tmp_path, "val").items[0].media[0].path == (
        tmp_path / "val/washing dishes" / NAME
    )


def test_a_missing_folder_of_clips_is_named(tmp_path: Path) -> None:
    make_kinetics700(tmp_path)
    shutil.rmtree(tmp_path / "val")
    with pytest.raises(DataError, match="lacks val/air drumming/ or air drumming/ or val/"):
        read_kinetics(tmp_path, "val")


def test_a_time_that_is_none_is_told_with_its_place(tmp_path: Path) -> None:
    make_kinetics700(tmp_path)
    path = tmp_path / "annotations/val.csv"
    path.write_text(path.read_text().replace(",0,10,", ",nan,10,"))
    with pytest.raises(DataError, match=r"'time_start' of record 1 of .*val\.csv"):
        read_kinetics(tmp_path, "val")

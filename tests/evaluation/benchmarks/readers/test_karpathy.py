"""COCO and Flickr30k in Karpathy's splits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flamingo.evaluation.benchmarks.item import Media
from flamingo.evaluation.benchmarks.readers.karpathy import read_coco, read_flickr30k
from flamingo.foundation.errors import DataError
from tests.evaluation.benchmarks.image_folders import make_coco, make_flickr30k


def test_an_item_of_coco(tmp_path: Path) -> None:
    make_coco(tmp_path)
    item = read_coco(tmp_path, "test").items[2]
    assert item.id == "402"
    assert item.media == (Media(tmp_path / "val2014/COCO_val2014_000000000402.jpg"),)
    assert item.answer == "A red square on a white ground."
    assert len(item.references) == 5
    # References stay as they are in the file, with the space at this one's end.
    assert item.references[2] == "The square is red. "
    assert item.details == {"image_id": 402}


def test_what_val2014_leaves_belongs_to_training(tmp_path: Path) -> None:
    make_coco(tmp_path, num=6)
    folders = [item.media[0].path.parent.name for item in read_coco(tmp_path, "train").items]
    assert folders == ["train2014"] * 6 + ["val2014"] * 3
    assert len(read_coco(tmp_path, "val").items) == 6


def test_pictures_in_one_folder(tmp_path: Path) -> None:
    make_coco(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "val2014").rename(tmp_path / "images" / "val2014")
    assert all(item.media[0].path.is_file() for item in read_coco(tmp_path, "test").items)
    for picture in (tmp_path / "images" / "val2014").iterdir():
        picture.rename(tmp_path / "images" / picture.name)
    (tmp_path / "images" / "val2014").rmdir()
    assert all(item.media[0].path.is_file() for item in read_coco(tmp_path, "test").items)


def test_a_part_needs_no_other_pictures_than_its_own(tmp_path: Path) -> None:
    make_coco(tmp_path)
    (tmp_path / "train2014").rename(tmp_path / "gone")
    assert read_coco(tmp_path, "test").items
    with pytest.raises(DataError, match="lacks train2014/ or images/train2014/ or images/"):
        read_coco(tmp_path, "train")


def test_an_item_of_flickr30k(tmp_path: Path) -> None:
    make_flickr30k(tmp_path)
    item = read_flickr30k(tmp_path, "val").items[0]
    assert item.id == "2000"
    assert item.media == (Media(tmp_path / "flickr30k-images/2000.jpg"),)
    assert item.answer == item.references[0] == "A blue square on a white ground."


def test_a_picture_without_captions(tmp_path: Path) -> None:
    make_coco(tmp_path)
    path = tmp_path / "dataset_coco.json"
    content = json.loads(path.read_text())
    content["images"][0]["sentences"] = []
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"record 1 of `images` in .*coco\.json has no sentences"):
        read_coco(tmp_path, "train")


def test_two_pictures_of_one_number(tmp_path: Path) -> None:
    make_coco(tmp_path)
    path = tmp_path / "dataset_coco.json"
    content = json.loads(path.read_text())
    content["images"][1]["cocoid"] = content["images"][0]["cocoid"]
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="holds two items with the id '100'"):
        read_coco(tmp_path, "train")

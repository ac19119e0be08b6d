"""ImageNet in folders of classes, or with all validation pictures in one."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from flamingo.evaluation.benchmarks.item import Media
from flamingo.evaluation.benchmarks.readers.imagenet import read_imagenet
from flamingo.evaluation.benchmarks.readers.imagenet_classes import class_names
from flamingo.foundation.errors import ConfigError, DataError
from tests.evaluation.benchmarks.image_folders import CLASSES, make_imagenet

NUMBERS = {"n02123045": 1, "n01440764": 2, "n01443537": 3}
"""Of the classes in a development kit: not in their order."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_imagenet(tmp_path, num=2)
    return tmp_path


@pytest.fixture
def flat(folder: Path) -> Path:
    for one in CLASSES:
        for picture in (folder / "val" / one).iterdir():
            picture.rename(folder / "val" / picture.name)
        (folder / "val" / one).rmdir()
    return folder


def write_kit(kit: Path, classes: dict[str, int], lines: list[object]) -> None:
    savemat = pytest.importorskip("scipy.io").savemat
    kit.mkdir(parents=True, exist_ok=True)
    kinds = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("num_children", "O")]
    # After the classes the real file has their groups.
    rows = [(n, wnid, "a, b", 0) for wnid, n in classes.items()] + [(4, "n00001740", "entity", 3)]
    savemat(str(kit / "meta.mat"), {"synsets": np.array(rows, dtype=kinds).reshape(-1, 1)})
    text = "".join(f"{line}\n" for line in lines)
    (kit / "ILSVRC2012_validation_ground_truth.txt").write_text(text)


def test_an_item(folder: Path) -> None:
    pool = read_imagenet(folder, "val")
    assert pool.candidates == ("tench", "goldfish", "tabby")
    item = pool.items[3]
    assert item.id == "n01443537/ILSVRC2012_val_00000005"
    assert item.media == (Media(folder / "val/n01443537/ILSVRC2012_val_00000005.JPEG"),)
    assert (item.answer, item.references) == ("goldfish", ("goldfish",))
    assert item.details == {"class": "n01443537"}


def test_the_folders_of_kaggle(folder: Path) -> None:
    before = read_imagenet(folder, "train")
    kaggle = folder / "ILSVRC" / "Data" / "CLS-LOC"
    kaggle.mkdir(parents=True)
    for part in ("train", "val"):
        (folder / part).rename(kaggle / part)
    after = read_imagenet(folder, "train")
    assert [item.id for item in after.items] == [item.id for item in before.items]
    assert after.items[0].media[0].path.is_file()


def test_the_classes_are_those_of_training(folder: Path) -> None:
    (folder / "val" / CLASSES[1]).rename(folder / "gone")
    pool = read_imagenet(folder, "val")
    assert len(pool.items) == 4
    assert pool.candidates == ("tench", "goldfish", "tabby")


def test_a_class_that_training_lacks(folder: Path) -> None:
    (folder / "train" / CLASSES[1]).rename(folder / "gone")
    with pytest.raises(DataError, match=r"has pictures of 'n01443537', a class that the training"):
        read_imagenet(folder, "val")


def test_the_validation_part_alone(folder: Path) -> None:
    (folder / "train").rename(folder / "gone")
    assert read_imagenet(folder, "val").candidates == ("tench", "goldfish", "tabby")


@pytest.mark.parametrize("kit", ["", "data", "ILSVRC2012_devkit_t12/data"])
def test_a_flat_folder_with_the_development_kit(folder: Path, flat: Path, kit: str) -> None:
    # Picture n shows class (n - 1) mod 3 in the sorted order.
    write_kit(flat / kit, NUMBERS, [NUMBERS[one] for one in CLASSES] * 2)
    items = read_imagenet(flat, "val").items
    assert [(item.id, item.answer) for item in items] == [
        ("n01440764/ILSVRC2012_val_00000001", "tench"),
        ("n01440764/ILSVRC2012_val_00000004", "tench"),
        ("n01443537/ILSVRC2012_val_00000002", "goldfish"),
        ("n01443537/ILSVRC2012_val_00000005", "goldfish"),
        ("n02123045/ILSVRC2012_val_00000003", "tabby"),
        ("n02123045/ILSVRC2012_val_00000006", "tabby"),
    ]
    assert all(item.media[0].path.is_file() for item in items)


def test_a_flat_folder_with_kaggles_solution(flat: Path) -> None:
    rows = [f"ILSVRC2012_val_{n:08d},{CLASSES[(n - 1) % 3]} 1 2 3 4 \n" for n in range(1, 7)]
    (flat / "LOC_val_solution.csv").write_text("ImageId,PredictionString\n" + "".join(rows))
    answers = {int(item.id[-1]): item.answer for item in read_imagenet(flat, "val").items}
    assert [answers[n] for n in range(1, 7)] == ["tench", "goldfish", "tabby"] * 2


def test_a_flat_folder_with_nothing(flat: Path) -> None:
    with pytest.raises(DataError, match=r"neither LOC_val_solution\.csv nor ILSVRC2012_validation"):
        read_imagenet(flat, "val")


def test_numbers_without_their_meaning(flat: Path) -> None:
    (flat / "ILSVRC2012_validation_ground_truth.txt").write_text("1\n")
    with pytest.raises(DataError, match=r"no meta\.mat, without which its numbers mean nothing"):
        read_imagenet(flat, "val")


@pytest.mark.parametrize("line", ["0", "x", "9"])
def test_a_number_that_is_no_class(flat: Path, line: str) -> None:
    write_kit(flat, NUMBERS, [1, line])
    with pytest.raises(DataError, match=rf"line 2 of .*ground_truth\.txt is '{line}', no class"):
        read_imagenet(flat, "val")


def test_damaged_meta(flat: Path) -> None:
    write_kit(flat, NUMBERS, [1])
    (flat / "meta.mat").write_bytes(b"MATLAB" * 40)
    with pytest.raises(DataError, match=r"meta\.mat is damaged"):
        read_imagenet(flat, "val")


def test_without_scipy(flat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_kit(flat, NUMBERS, [1])
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(ConfigError, match="read with scipy, which is not installed"):
        read_imagenet(flat, "val")


def test_a_picture_that_no_file_tells_of(flat: Path) -> None:
    write_kit(flat, NUMBERS, [1, 2, 3])
    with pytest.raises(DataError, match=r"val_00000004\.JPEG shows: it is not among the 3"):
        read_imagenet(flat, "val")


def test_training_pictures_in_one_folder(folder: Path) -> None:
    for one in CLASSES:
        (folder / "train" / one).rename(folder / one)
    with pytest.raises(DataError, match="has no folders of classes, such as n01440764"):
        read_imagenet(folder, "train")


def test_an_empty_class(folder: Path) -> None:
    for picture in (folder / "val" / CLASSES[2]).iterdir():
        picture.rename(picture.with_suffix(".part"))
    with pytest.raises(DataError, match="n02123045 holds no pictures"):
        read_imagenet(folder, "val")


def test_names_of_ones_own(folder: Path) -> None:
    (folder / "classnames.txt").write_text("fish\ngold fish\ncat\n")
    pool = read_imagenet(folder, "val")
    assert pool.candidates == ("fish", "gold fish", "cat")
    assert pool.items[-1].answer == "cat"
    (folder / "classnames.txt").write_text("fish\ngold fish\n")
    with pytest.raises(DataError, match=r"classnames\.txt has 2 lines, but there are 3 classes"):
        read_imagenet(folder, "val")


def test_two_classes_of_one_name_are_one_candidate(folder: Path) -> None:
    (folder / "classnames.txt").write_text("fish\nfish\ncat\n")
    assert read_imagenet(folder, "val").candidates == ("fish", "cat")


def test_names_of_kaggle(folder: Path) -> None:
    lines = "n01440764 tench, Tinca tinca\nn01443537 tench, other\nn02123045 tabby, tabby cat\n"
    (folder / "LOC_synset_mapping.txt").write_text(lines)
    # The first name, or all of them where it is another class's first name too.
    names = ("tench, Tinca tinca", "tench, other", "tabby")
    assert read_imagenet(folder, "val").candidates == names
    (folder / "LOC_synset_mapping.txt").write_text(lines[:40])
    with pytest.raises(DataError, match=r"mapping\.txt has no name of the class 'n02123045'"):
        read_imagenet(folder, "val")


def test_folders_that_timm_has_no_name_for(folder: Path) -> None:
    (folder / "train" / CLASSES[0]).rename(folder / "train" / "cats")
    with pytest.raises(DataError, match="timm has no name of the class 'cats', and of 0 others"):
        read_imagenet(folder, "train")


def test_timms_names_tell_classes_apart(tmp_path: Path) -> None:
    from timm.data.imagenet_info import ImageNetInfo

    names = class_names(tmp_path, ImageNetInfo("imagenet-1k").label_names())
    twice = [name for name in names.values() if list(names.values()).count(name) > 1]
    # A bird and a machine, for which WordNet has no other name.
    assert twice == ["crane", "crane"]
    assert names["n02123045"] == "tabby"

"""ImageNet: which of a thousand classes does a picture show?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flamingo.data.datasets.media import IMAGES
from flamingo.evaluation.benchmarks.item import Item, Media, Pool
from flamingo.evaluation.benchmarks.readers.annotation_file import existing
from flamingo.evaluation.benchmarks.readers.imagenet_classes import class_names
from flamingo.evaluation.benchmarks.readers.imagenet_labels import flat_labels
from flamingo.evaluation.benchmarks.readers.parts import part_of
from flamingo.evaluation.benchmarks.readers.pools import pool_of
from flamingo.foundation.errors import DataError

_FOLDERS = {
    part: (f"{part}/", f"ILSVRC/Data/CLS-LOC/{part}/", f"Data/CLS-LOC/{part}/")
    for part in ("train", "val")
}


def read_imagenet(folder: Path, part: str) -> Pool:
    """Reads a part of ImageNet: a folder for each class, or for "val" all pictures in one.

    The candidates are the names of all classes of the training part, or of "val" if that is the
    only part, in the order of the sorted classes. Two classes of one name count as one. An item's
    answer is its class's name; the class itself is the detail `class`.

    Raises:
        ConfigError: there is no such part.
        DataError: a folder or file is missing or damaged.
    """
    pictures = existing(folder, *part_of(_FOLDERS, part, "ImageNet"))
    by_class = _by_class(folder, part, pictures)
    names = class_names(folder, _classes(folder, part, sorted(by_class)))
    unknown = [one for one in by_class if one not in names]
    if unknown:
        raise DataError(
            f"{pictures} has pictures of {unknown[0]!r}, a class that the training part lacks.\n"
            "Unpack all classes of the training part."
        )
    candidates = tuple(dict.fromkeys(names.values()))
    return pool_of(_items(by_class, names), pictures, candidates)


def _items(by_class: dict[str, list[Path]], names: dict[str, str]) -> Iterator[Item]:
    for one in sorted(by_class):
        answer, references, details = names[one], (names[one],), {"class": one}
        for picture in by_class[one]:
            yield Item(
                id=f"{one}/{picture.stem}",
                media=(Media(picture),),
                answer=answer,
                references=references,
                details=details,
            )


def _classes(folder: Path, part: str, found: list[str]) -> list[str]:
    """All classes: the folders of the training part if it is there, else those found."""
    if part == "train":
        return found
    train = next((folder / one for one in _FOLDERS["train"] if (folder / one).is_dir()), None)
    return found if train is None else _folders(train) or found


def _folders(pictures: Path) -> list[str]:
    return sorted(one.name for one in pictures.iterdir() if one.is_dir())


def _by_class(folder: Path, part: str, pictures: Path) -> dict[str, list[Path]]:
    """By class its pictures, sorted."""
    folders = _folders(pictures)
    if folders:
        return {one: _some_pictures_in(pictures / one) for one in folders}
    if part == "train":
        raise DataError(
            f"{pictures} has no folders of classes, such as n01440764.\nUnpack each class of the "
            "training pictures into a folder of its own."
        )
    labels = flat_labels(folder)
    by_class: dict[str, list[Path]] = {}
    for picture in _some_pictures_in(pictures):
        if picture.stem not in labels:
            raise DataError(
                f"nothing says what {picture} shows: it is not among the {len(labels)} validation "
                "pictures that have a class.\nRemove it, or get the file with the classes again."
            )
        by_class.setdefault(labels[picture.stem], []).append(picture)
    return by_class


def _some_pictures_in(folder: Path) -> list[Path]:
    names = sorted(one.name for one in folder.iterdir())
    found = [folder / name for name in names if name.rpartition(".")[2].lower() in IMAGES]
    if not found:
        raise DataError(f"{folder} holds no pictures.\nUnpack this folder of ImageNet anew.")
    return found

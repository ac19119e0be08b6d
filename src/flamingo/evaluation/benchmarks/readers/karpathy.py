"""Captions of COCO and of Flickr30k in Karpathy's splits: `dataset_coco.json` and its like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flamingo.evaluation.benchmarks.item import Item, Media, Pool
from flamingo.evaluation.benchmarks.readers.annotation_file import (
    existing,
    field_of,
    place,
    read_json,
    texts_in,
)
from flamingo.evaluation.benchmarks.readers.coco_pictures import coco_folder
from flamingo.evaluation.benchmarks.readers.parts import part_of
from flamingo.evaluation.benchmarks.readers.pools import pool_of
from flamingo.evaluation.benchmarks.readers.texts import one_line
from flamingo.foundation.errors import DataError

_PARTS = {"train": ("train", "restval"), "val": ("val",), "test": ("test",)}
"""By part the values of the field `split`. COCO's "restval" is what val2014 leaves for training."""


def read_coco(folder: Path, part: str) -> Pool:
    """Reads a part of COCO: an item has all captions as references and shows the first one.

    Raises:
        ConfigError: there is no such part.
        DataError: a file or folder is missing or damaged.
    """
    path = existing(folder, "dataset_coco.json")
    records = [
        (field_of(record, "filepath", where, str), record, where)
        for record, where in _records(path, part_of(_PARTS, part, "COCO"))
    ]
    pictures = {name: coco_folder(folder, name) for name in sorted({name for name, *_ in records})}
    return pool_of((_coco_item(pictures[name], *record) for name, *record in records), path)


def read_flickr30k(folder: Path, part: str) -> Pool:
    """Reads a part of Flickr30k: an item has all captions as references and shows the first one.

    Its id is the picture's name without ending.

    Raises:
        ConfigError: there is no such part.
        DataError: a file or folder is missing or damaged.
    """
    splits = part_of(_PARTS, part, "Flickr30k")
    path = existing(folder, "dataset_flickr30k.json")
    pictures = existing(folder, "flickr30k-images/", "flickr30k_images/", "images/")
    return pool_of(
        (_flickr_item(pictures, record, where) for record, where in _records(path, splits)), path
    )


def _records(path: Path, splits: tuple[str, ...]) -> Iterator[tuple[Any, str]]:
    """The records of a part, each with what errors call it."""
    whole = read_json(path, dict)
    images = field_of(whole, "images", str(path), list)
    for number, record in enumerate(images, start=1):
        where = place(path, number, "images")
        if field_of(record, "split", where, str) in splits:
            yield record, where


def _coco_item(pictures: Path, record: Any, where: str) -> Item:
    image_id = field_of(record, "cocoid", where, int)
    captions = _captions(record, where)
    return Item(
        id=str(image_id),
        media=(Media(pictures / field_of(record, "filename", where, str)),),
        answer=one_line(captions[0]),
        references=captions,
        details={"image_id": image_id},
    )


def _flickr_item(pictures: Path, record: Any, where: str) -> Item:
    picture = pictures / field_of(record, "filename", where, str)
    captions = _captions(record, where)
    return Item(picture.stem, (Media(picture),), answer=one_line(captions[0]), references=captions)


def _captions(record: Any, where: str) -> tuple[str, ...]:
    captions = texts_in(record, "sentences", "raw", where)
    if not captions:
        raise DataError(f"{where} has no sentences.\nGet the file again from its official place.")
    return captions

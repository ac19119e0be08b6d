"""Kinetics-700-2020: which of 700 actions does a clip of ten seconds show?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from flamingo.evaluation.benchmarks.item import Item, Media, Pool
from flamingo.evaluation.benchmarks.readers.annotation_file import existing, place, read_csv
from flamingo.evaluation.benchmarks.readers.clips import seconds_of
from flamingo.evaluation.benchmarks.readers.parts import part_of
from flamingo.evaluation.benchmarks.readers.pools import pool_of
from flamingo.evaluation.benchmarks.readers.texts import one_line

_FILES = {
    "train": ("annotations/train.csv", "train.csv"),
    "val": ("annotations/val.csv", "val.csv", "validate.csv"),
}
_COLUMNS = ("label", "youtube_id", "time_start", "time_end")


def read_kinetics(folder: Path, part: str) -> Pool:
    """Reads a part of Kinetics-700-2020.

    The candidates are the names of the classes in the part's file, sorted. A clip is the file
    `<part>/<label>/<id>_000010_000020.mp4`, or without the part's folder. Where no class has a
    folder, all clips of a part may lie in `<part>/`, as the archives of its hosts are unpacked.

    Raises:
        ConfigError: there is no such part.
        DataError: a file or folder is missing or damaged.
    """
    path = existing(folder, *part_of(_FILES, part, "Kinetics-700-2020"))
    rows = read_csv(path, _COLUMNS)
    labels = sorted({row["label"] for row in rows})
    folders = _folders(folder, part, labels) if labels else {}
    return pool_of(
        (_item(row, place(path, number), folders) for number, row in enumerate(rows, start=1)),
        path,
        tuple(map(one_line, labels)),
    )


def _item(row: Mapping[str, str], where: str, folders: Mapping[str, Path]) -> Item:
    start = round(seconds_of(row, "time_start", where))
    end = round(seconds_of(row, "time_end", where))
    name = f"{row['youtube_id']}_{start:06d}_{end:06d}"
    label = one_line(row["label"])
    return Item(
        id=f"{label}/{name}",
        media=(Media(folders[row["label"]] / f"{name}.mp4"),),
        answer=label,
        references=(label,),
    )


def _folders(folder: Path, part: str, labels: Sequence[str]) -> dict[str, Path]:
    """By class the folder in which its clips are, or should be."""
    found = {
        label: place
        for label in labels
        for place in (folder / label, folder / part / label)
        if place.is_dir()
    }
    if not found:
        flat = existing(folder, f"{part}/{labels[0]}/", f"{labels[0]}/", f"{part}/")
        return dict.fromkeys(labels, flat)
    return {label: found.get(label, folder / part / label) for label in labels}

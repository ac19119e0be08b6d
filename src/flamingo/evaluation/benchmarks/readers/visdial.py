"""VisDial 1.0: which of a hundred answers fits the next question of a dialog about a picture?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flamingo.evaluation.benchmarks.item import Item, Media, Pool
from flamingo.evaluation.benchmarks.readers.annotation_file import (
    existing,
    field_of,
    list_of,
    place,
    read_json,
)
from flamingo.evaluation.benchmarks.readers.coco_pictures import coco_file, coco_folder
from flamingo.evaluation.benchmarks.readers.parts import part_of
from flamingo.evaluation.benchmarks.readers.pools import pool_of
from flamingo.evaluation.benchmarks.readers.visdial_dialogs import Dialog, read_dialogs
from flamingo.foundation.errors import DataError

DENSE = "visdial_1.0_val_dense_annotations.json"


def read_visdial(folder: Path, part: str) -> Pool:
    """Reads a part of VisDial 1.0.

    An item is one round of a dialog, and what was said before stands in its field `history`. No
    dialog gives more than one item:

    - "train": a round of each dialog, the first of the first one, the second of the second, and
      so on in a circle, so that histories of all lengths occur alike. These items are supports:
      they have no candidates. Their pictures are COCO's train2014 and val2014.
    - "val": the round of which people said how relevant each answer is, in the order of that
      file. The detail `relevance` is in the order of the candidates.
    - "test": the last round, whose answer is hidden.

    Questions are asked as they are written, which is without question marks; this, and where
    pictures lie, is from memory and not checked against the files.

    Raises:
        ConfigError: there is no such part.
        DataError: a file or folder is missing or damaged.
    """
    read = part_of({"train": _train, "val": _val, "test": _test}, part, "VisDial")
    path = existing(folder, f"visdial_1.0_{part}.json")
    return pool_of(read(folder, path), path)


def _train(folder: Path, path: Path) -> Iterator[Item]:
    first, second = coco_folder(folder, "train2014"), coco_folder(folder, "val2014")
    in_first = {file.name for file in first.iterdir()}
    for number, dialog in enumerate(read_dialogs(path, with_options=False)):
        name = coco_file("train2014", dialog.image_id)
        picture = first / name
        if name not in in_first:
            picture = second / coco_file("val2014", dialog.image_id)
        round_id = 1 + number % max(1, len(dialog.rounds))
        yield _item(dialog, round_id, picture, answer=dialog.answer(round_id))


def _val(folder: Path, path: Path) -> Iterator[Item]:
    dense = existing(folder, DENSE)
    pictures = _pictures(folder, "VisualDialog_val2018")
    dialogs = {dialog.image_id: dialog for dialog in read_dialogs(path)}
    for number, record in enumerate(read_json(dense, list), start=1):
        where = place(dense, number)
        image_id = field_of(record, "image_id", where, int)
        if image_id not in dialogs:
            raise DataError(
                f"{where} is about picture {image_id}, of which {path} has no dialog.\n"
                "Get both files from the same release."
            )
        dialog, round_id = dialogs[image_id], field_of(record, "round_id", where, int)
        options, answer = dialog.options(round_id), dialog.answer(round_id)
        relevance = list_of(record, "gt_relevance", where, float)
        if len(relevance) != len(options):
            raise DataError(
                f"{where} has the relevance of {len(relevance)} answers, but {dialog.where} has "
                f"{len(options)} to choose from.\nGet both files from the same release."
            )
        yield _item(
            dialog,
            round_id,
            pictures / f"VisualDialog_val2018_{image_id:012d}.jpg",
            answer=answer,
            options=options,
            relevance=relevance,
        )


def _test(folder: Path, path: Path) -> Iterator[Item]:
    pictures = _pictures(folder, "VisualDialog_test2018")
    for dialog in read_dialogs(path):
        round_id = len(dialog.rounds)
        picture = pictures / f"VisualDialog_test2018_{dialog.image_id:012d}.jpg"
        yield _item(dialog, round_id, picture, options=dialog.options(round_id))


def _pictures(folder: Path, name: str) -> Path:
    return existing(folder, f"{name}/", f"images/{name}/", "images/")


def _item(
    dialog: Dialog,
    round_id: int,
    picture: Path,
    *,
    answer: str = "",
    options: tuple[str, ...] = (),
    relevance: tuple[float, ...] = (),
) -> Item:
    details = {"image_id": dialog.image_id, "round_id": round_id}
    return Item(
        id=f"{dialog.image_id}-{round_id}",
        media=(Media(picture),),
        fields={"history": dialog.history(round_id), "question": dialog.question(round_id)},
        answer=answer,
        references=(answer,) if answer else (),
        candidates=options,
        details={**details, "relevance": list(relevance)} if relevance else details,
    )

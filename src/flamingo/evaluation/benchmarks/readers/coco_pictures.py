"""Where the pictures of COCO lie, which several benchmarks ask about."""

from __future__ import annotations

from pathlib import Path

from flamingo.evaluation.benchmarks.readers.annotation_file import existing


def coco_folder(folder: Path, part: str) -> Path:
    """The folder with the pictures of "train2014", "val2014" or "test2015".

    Args:
        folder: the benchmark's. The pictures may be in a folder of the part's name, in one inside
            of `images`, or all together in `images`.
        part: COCO's own name of the part, which begins the names of its pictures as well.

    Raises:
        DataError: there is none of these folders.
    """
    return existing(folder, f"{part}/", f"images/{part}/", "images/")


def coco_file(part: str, image_id: int) -> str:
    """The official name of a picture's file."""
    return f"COCO_{part}_{image_id:012d}.jpg"

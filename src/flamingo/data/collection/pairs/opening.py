"""From a path to the readers of the captions that are there."""

from __future__ import annotations

import os
from pathlib import Path

from flamingo.data.collection.pairs.coco import CocoCaptions
from flamingo.data.collection.pairs.json_lines import LineCaptions
from flamingo.data.collection.pairs.parquet_files import ParquetCaptions
from flamingo.data.collection.pairs.records import CaptionReader
from flamingo.data.collection.pairs.settings import Columns, Format
from flamingo.data.collection.pairs.side_by_side import FolderCaptions
from flamingo.data.collection.pairs.tables import TableCaptions
from flamingo.data.collection.pairs.tars import TarCaptions
from flamingo.data.collection.sources.folders import files_ending
from flamingo.data.datasets.addresses import expanded
from flamingo.foundation.errors import DataError

ENDINGS: dict[str, Format] = {
    ".tar": "tars",
    ".parquet": "parquet",
    ".csv": "table",
    ".tsv": "table",
    ".jsonl": "lines",
    ".ndjson": "lines",
    ".json": "coco",
}
"""How captions are stored in files of these endings."""
_COMPRESSED = (".gz", ".tgz", ".zst", ".bz2", ".xz", ".zip")


def caption_readers(
    path: str, columns: Columns, endings: tuple[str, ...], format: Format | None = None
) -> list[CaptionReader]:
    """A reader for each file that a path stands for, in the order of their names.

    Args:
        path: a file, a pattern (`cc12m/*.tsv`), or a folder. Of a folder, tars are read if it has
            any; else media with a `txt` or a `json` beside them; else its tables, Parquet files
            and JSON lines; else JSON files of COCO's form.
        columns: which columns are what.
        endings: of media, without the dot.
        format: which of these it is, if that is not to be found out.

    Raises:
        ConfigError: the pattern is impossible.
        DataError: there is nothing that holds captions.
    """
    if "://" in path and not path.startswith("file://"):
        raise DataError(f"{path} is not on this machine.\nCaptions are read from its own disks.")
    found = expanded(path)
    if len(found) == 1 and os.path.isdir(found[0]):
        return _of_folder(Path(found[0]), columns, endings, format)
    readers = []
    root = Path(os.path.commonpath([os.path.dirname(os.path.abspath(one)) for one in found] or "."))
    for one in sorted(found):
        if not os.path.isfile(one):
            raise DataError(
                f"there is no file {one}.\nRelative paths start at the current folder, "
                f"{os.getcwd()}. Check the spelling."
            )
        readers.append(_of_file(root, os.path.relpath(one, root), columns, endings, format))
    if not readers:
        raise DataError(f"nothing fits the pattern {path}.\nCheck the spelling.")
    return readers


def _of_folder(
    root: Path, columns: Columns, endings: tuple[str, ...], format: Format | None
) -> list[CaptionReader]:
    beside = FolderCaptions(root, columns, endings)
    for kinds in (("tars",), ("folder",), ("table", "parquet", "lines"), ("coco",)):
        if format is not None and format not in kinds:
            continue
        if kinds == ("folder",):
            if beside.entries():
                return [beside]
            continue
        wanted = [
            ending
            for ending, form in ENDINGS.items()
            if form in (kinds if format is None else (format,))
        ]
        if paths := files_ending(root, wanted):
            return [_of_file(root, path, columns, endings, format) for path in paths]
    raise DataError(
        f"the folder {root} holds no captions.\nThese are tars, images with a txt or a json of "
        f"the same name, or files that end in {', '.join(ENDINGS)}."
    )


def _of_file(
    root: Path, path: str, columns: Columns, endings: tuple[str, ...], format: Format | None
) -> CaptionReader:
    ending = os.path.splitext(path)[1].lower()
    if ending in _COMPRESSED:
        raise DataError(
            f"{path} is compressed.\nPieces are read from any place in a file, which compression "
            "rules out. Unpack it first."
        )
    kind = format or ENDINGS.get(ending)
    if kind == "tars":
        return TarCaptions(root, path, columns, endings)
    if kind == "parquet":
        return ParquetCaptions(root, path, columns)
    if kind == "table":
        return TableCaptions(root, path, columns)
    if kind == "lines":
        return LineCaptions(root, path, columns)
    if kind == "coco":
        return CocoCaptions(root, path, columns)
    raise DataError(
        f"{path} holds no captions that are known here.\nFiles end in {', '.join(ENDINGS)}; for "
        "another ending name the format."
    )

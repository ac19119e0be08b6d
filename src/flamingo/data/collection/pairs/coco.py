"""Captions in a JSON file of COCO's form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flamingo.data.collection.made_samples import Refused, refused
from flamingo.data.collection.pairs.columns import record_of
from flamingo.data.collection.pairs.records import (
    CaptionFile,
    CaptionPiece,
    CaptionRecord,
    check_size,
    pieces_of,
)
from flamingo.data.collection.sources.safe_paths import read_bounded
from flamingo.foundation.errors import DataError, reason

MAX_BYTES = 2 << 30
"""A larger file is not read: it would have to be held in memory as a whole."""


@dataclass(frozen=True)
class CocoCaptions(CaptionFile):
    """The images of a file with `images` and `annotations`, each with all of its captions.

    The file is read once; pieces carry what is in it.
    """

    def pieces(self, size: int) -> Sequence[CaptionPiece]:
        """See `CaptionReader`."""
        check_size(size)
        images, captions, licenses = self._read()
        entries = [
            (image, tuple(captions.get(_key(image), ())), licenses.get(_key(image, "license")))
            for image in images
        ]
        return pieces_of(self.path, entries, size)

    def records(self, piece: CaptionPiece) -> Iterator[CaptionRecord | Refused]:
        """See `CaptionReader`."""
        for position, (image, texts, license_name) in enumerate(piece.entries):
            number = piece.first + position
            where = f"{self.path}, image {number + 1}"
            if not isinstance(image, dict) or not isinstance(image.get("file_name"), str):
                yield refused("record", "it is no image with a file_name", where)
            elif not texts:
                yield refused("record", "it has no caption", f"{where}: {image['file_name']}")
            else:
                # COCO's license is a number that stands for one.
                row = {**image, "license": license_name, "caption": list(texts)}
                yield record_of(number, row, "file_name", "caption", self.settings, where)

    def _read(self) -> tuple[list[Any], dict[Any, list[str]], dict[Any, str]]:
        """Images; captions by the ids of images; licenses by their ids."""
        content = read_bounded(self.place, MAX_BYTES)
        try:
            value: Any = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{self.path} is no JSON: {reason(error)}") from error
        if not isinstance(value, dict) or not isinstance(value.get("images"), list):
            raise DataError(
                f"{self.path} is no file of COCO's form.\nIt has no list `images`. Other captions "
                "go into tables or JSON lines."
            )
        captions: dict[Any, list[str]] = {}
        for annotation in _objects(value.get("annotations")):
            image = _key(annotation, "image_id")
            if image is not None and isinstance(annotation.get("caption"), str):
                captions.setdefault(image, []).append(annotation["caption"])
        if not captions:
            raise DataError(f"{self.path} has no annotation with a caption.")
        licenses = {
            _key(one): str(one.get("url") or one.get("name") or "")
            for one in _objects(value.get("licenses"))
        }
        return value["images"], captions, licenses


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _key(value: Any, name: str = "id") -> int | str | None:
    """An id; None where it is nothing by which one could look something up."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, int | str) else None

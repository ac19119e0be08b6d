"""The files that captions belong to: found below a folder, or wherever else images may be."""

from __future__ import annotations

from pathlib import Path

from flamingo.data.collection.images import DataUrls, FirstOf, FolderImages, ImageFinder
from flamingo.data.collection.images.finders import MAX_IMAGE_BYTES
from flamingo.data.collection.pairs.records import CaptionRecord
from flamingo.data.collection.sources.safe_paths import path_below, possible_names


def content_of(
    record: CaptionRecord, folder: Path, finder: ImageFinder | None = None
) -> bytes | str:
    """The image file of a record, or why it cannot be had.

    Args:
        record: the caption.
        folder: that paths start from, and none leads out of.
        finder: where else images may be, asked last.
    """
    if record.content is not None:
        if len(record.content) > MAX_IMAGE_BYTES:
            return f"it has {len(record.content):,} bytes, at most {MAX_IMAGE_BYTES:,}"
        return record.content
    address = local_name(record.address, folder)
    places: list[ImageFinder] = [DataUrls(), FolderImages(folder)]
    if finder is not None:
        places.append(finder)
    found = FirstOf(places).find(str(record.fields.get("page") or ""), address)
    return "it is not here, or too large" if found is None else found


def local_file(address: str, folder: Path) -> Path | None:
    """The file of a path below a folder; None if there is none."""
    for name in possible_names(local_name(address, folder)):
        if (place := path_below(folder, name)) is not None:
            return place
    return None


def local_name(address: str, folder: Path) -> str:
    """An address without what leads to the folder, where that was written before it."""
    return address.removeprefix("file://").removeprefix(f"{folder.resolve()}/")


def is_url(address: str) -> bool:
    """Whether it says where to fetch something, and is no path."""
    return "://" in address[:20]

"""Where the bytes of a page's image are: in it, beside it, or in the archive that it came from."""

from __future__ import annotations

import base64
import binascii
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable
from urllib.parse import unquote_to_bytes, urlsplit

from flamingo.data.collection.sources.archives import Archive
from flamingo.data.collection.sources.safe_paths import (
    normal_name,
    path_below,
    possible_names,
    read_bounded,
)
from flamingo.foundation.errors import DataError

MAX_IMAGE_BYTES = 20_000_000
"""A larger file is not read: photos of cameras stay below."""

_MAX_DATA_URL = 3 * MAX_IMAGE_BYTES


@runtime_checkable
class ImageFinder(Protocol):
    """A place that holds images. Can be pickled: processes get copies."""

    def find(self, page_address: str, image_address: str) -> bytes | None:
        """The file of an image, as it is; None if it is not here, too large, or damaged.

        Args:
            page_address: of the page that shows it, as in `RawPage`.
            image_address: as in `ImageNode`: a URL, or a path below the folder of the pages.
        """
        ...


@dataclass(frozen=True)
class FirstOf:
    """Several places, asked in order.

    Args:
        finders: the places.
    """

    finders: Sequence[ImageFinder]

    def find(self, page_address: str, image_address: str) -> bytes | None:
        """See `ImageFinder`."""
        for finder in self.finders:
            content = finder.find(page_address, image_address)
            if content is not None:
                return content
        return None


@dataclass(frozen=True)
class DataUrls:
    """Images that are written into their pages.

    Args:
        max_bytes: of an image.
    """

    max_bytes: int = MAX_IMAGE_BYTES

    def find(self, page_address: str, image_address: str) -> bytes | None:
        """See `ImageFinder`."""
        if image_address[:5].lower() != "data:" or len(image_address) > _MAX_DATA_URL:
            return None
        head, comma, text = image_address.partition(",")
        if not comma:
            return None
        # What cannot be written as bytes cannot be part of an image either.
        content = unquote_to_bytes(text.encode("utf-8", "replace"))
        if head.rstrip().lower().endswith(";base64"):
            content = content.translate(None, b" \t\r\n\f").rstrip(b"=")
            try:
                content = base64.b64decode(content + b"=" * (-len(content) % 4))
            except (binascii.Error, ValueError):
                return None
        return content if 0 < len(content) <= self.max_bytes else None


@dataclass(frozen=True)
class FolderImages:
    """Images that lie in the folder of the pages; nothing is read from outside of it.

    Names are tried as they are and with what is encoded in them written out, with and without
    their queries. A URL is looked for where tools that copy sites put it: `HOST/PATH`.

    Args:
        folder: the root of the pages.
        max_bytes: of an image.
    """

    folder: Path
    max_bytes: int = MAX_IMAGE_BYTES

    def find(self, page_address: str, image_address: str) -> bytes | None:
        """See `ImageFinder`."""
        for name in _local_names(image_address):
            path = path_below(self.folder, name)
            if path is not None:
                try:
                    return read_bounded(path, self.max_bytes)
                except DataError:
                    return None
        return None


class ArchiveImages:
    """Images in tars and zips that hold the pages too.

    Args:
        paths: of the archives, in the order in which they are asked.
        max_bytes: of an image.
    """

    def __init__(self, paths: Sequence[Path], max_bytes: int = MAX_IMAGE_BYTES) -> None:
        self.archives = tuple(Archive(path) for path in paths)
        self.max_bytes = max_bytes

    def find(self, page_address: str, image_address: str) -> bytes | None:
        """See `ImageFinder`."""
        for name in _local_names(image_address):
            normal = normal_name(name)
            for archive in self.archives:
                try:
                    if normal is not None and normal in archive.names:
                        return archive.read(normal, self.max_bytes)
                except DataError:
                    continue
        return None


def _local_names(address: str) -> Sequence[str]:
    """What the file of an address may be called below the folder of the pages."""
    if address[:5].lower() == "data:":
        return ()
    names = tuple(possible_names(address))
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return names
    if parts.scheme.lower() in ("http", "https") and host:
        # Not as a URL then: it would be a path in a folder called "http:".
        address = posixpath.join(host, parts.path.lstrip("/"))
        with_query = f"{address}?{parts.query}" if parts.query else address
        return tuple(possible_names(with_query))
    return names

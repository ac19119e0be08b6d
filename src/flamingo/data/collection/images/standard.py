"""The places where the images of a source are, without anything having to be said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flamingo.data.collection.images.finders import (
    ArchiveImages,
    DataUrls,
    FirstOf,
    FolderImages,
    ImageFinder,
)
from flamingo.data.collection.images.warc_images import WarcImages
from flamingo.data.collection.sources.archives import ArchivePages
from flamingo.data.collection.sources.folders import FolderPages
from flamingo.data.collection.sources.json_lines import JsonLinesPages
from flamingo.data.collection.sources.opening import SeveralSources
from flamingo.data.collection.sources.source import PageSource, Piece
from flamingo.data.collection.sources.warcs import WarcPages


def images_of(source: PageSource, piece: Piece, further: Sequence[ImageFinder] = ()) -> ImageFinder:
    """Finds the images of a piece's pages: in the pages, in their folder or archive, or further.

    Args:
        source: that the piece is from.
        piece: whose pages are read; where several sources were opened, only its own is looked in.
        further: places to look in after that, such as `DownloadedImages` or `FetchedImages`.
    """
    if isinstance(source, SeveralSources):
        source = source.sources[piece.source]
    own: list[ImageFinder] = [DataUrls()]
    if isinstance(source, FolderPages | JsonLinesPages):
        own.append(FolderImages(source.folder))
    elif isinstance(source, WarcPages):
        own.append(WarcImages([source.folder / name for name in source.files], source.work))
    elif isinstance(source, ArchivePages):
        own.append(ArchiveImages([Path(piece.path)]))
    return FirstOf((*own, *further))

"""Opens whatever holds pages, by what it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flamingo.data.collection.pages import RawPage
from flamingo.data.collection.sources.archives import ARCHIVE_ENDINGS, ArchivePages
from flamingo.data.collection.sources.folders import PAGE_ENDINGS, FolderPages, files_ending
from flamingo.data.collection.sources.json_lines import JSON_ENDINGS, JsonLinesPages
from flamingo.data.collection.sources.source import PageSource, Piece
from flamingo.data.collection.sources.warcs import WARC_ENDINGS, WarcPages
from flamingo.data.skipping import Skipped
from flamingo.foundation.errors import ConfigError, DataError, nearest

KINDS = {
    "html": PAGE_ENDINGS,
    "warc": WARC_ENDINGS,
    "jsonl": JSON_ENDINGS,
    "archive": ARCHIVE_ENDINGS,
}
"""Kinds of sources, and how their files end."""


def open_source(
    path: str | Path | Sequence[str | Path], *, kind: str = "auto", work: str | Path | None = None
) -> PageSource:
    """The pages in a file or a folder, or in several one after the other.

    Args:
        path: a folder; an HTML file, whose folder is then the root of its images; a WARC file, a
            list of pages as JSON lines, a tar or a zip; or a list of these.
        kind: one of `KINDS`, for a folder that holds files of several.
        work: a folder for what is found out about the input once, such as indices of archives.

    Raises:
        ConfigError: there is no such kind, or a folder holds files of several.
        DataError: there is no such path, or nothing in it that holds pages.
    """
    if kind != "auto" and kind not in KINDS:
        raise ConfigError(f"There is no kind of source {kind!r}. {nearest(kind, ['auto', *KINDS])}")
    kept = None if work is None else Path(work)
    if isinstance(path, str | Path):
        return _open(Path(path).expanduser(), kind, kept)
    if not path:
        raise ConfigError("There is no source of pages.\nGive at least one path.")
    return SeveralSources(tuple(_open(Path(one).expanduser(), kind, kept) for one in path))


@dataclass(frozen=True)
class SeveralSources:
    """Sources one after the other.

    Args:
        sources: in order; the names of pieces tell them apart by their numbers.
    """

    sources: tuple[PageSource, ...]

    def pieces(self, pages_per_piece: int) -> Sequence[Piece]:
        """See `PageSource`."""
        return [
            replace(piece, name=f"{number:03d}-{piece.name}", source=number)
            for number, source in enumerate(self.sources)
            for piece in source.pieces(pages_per_piece)
        ]

    def read(self, piece: Piece) -> Iterator[RawPage | Skipped]:
        """See `PageSource`."""
        return self.sources[piece.source].read(piece)


def _open(path: Path, kind: str, work: Path | None) -> PageSource:
    if path.is_dir():
        found = {name: files_ending(path, endings) for name, endings in KINDS.items()}
        chosen = _chosen(path, kind, {name: len(files) for name, files in found.items() if files})
        # Of a folder all HTML files are meant, and a list of them would travel with every piece.
        return FolderPages(path) if chosen == "html" else _source(chosen, path, found[chosen], work)
    if not path.is_file():
        raise DataError(f"There is no file or folder {path}.\nCheck the path.")
    for name, endings in KINDS.items():
        if path.name.lower().endswith(endings) and kind in ("auto", name):
            return _source(name, path.parent, (path.name,), work)
    known = ", ".join(ending for name in KINDS for ending in KINDS[name])
    raise DataError(f"{path} is no source of pages.\nKnown are files that end in {known}.")


def _chosen(path: Path, kind: str, found: dict[str, int]) -> str:
    """The kind that a folder is read as."""
    if kind != "auto":
        if kind not in found:
            raise DataError(
                f"The folder {path} holds no file that ends in {', '.join(KINDS[kind])}."
            )
        return kind
    # Tars and zips beside pages are mostly what those offer for download.
    kinds = [name for name in found if name != "archive"] or list(found)
    if not kinds:
        endings = ", ".join(ending for name in KINDS for ending in KINDS[name])
        raise DataError(f"The folder {path} holds no pages: no file ends in {endings}.")
    if len(kinds) > 1:
        counts = ", ".join(f"{found[name]} of kind {name}" for name in kinds)
        raise ConfigError(f"The folder {path} holds files {counts}.\nSay which with kind.")
    return kinds[0]


def _source(kind: str, folder: Path, files: tuple[str, ...], work: Path | None) -> PageSource:
    if kind == "html":
        return FolderPages(folder, files)
    if kind == "warc":
        return WarcPages(folder, files, work)
    if kind == "jsonl":
        return JsonLinesPages(folder, files)
    return ArchivePages(folder, files)

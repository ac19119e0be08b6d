"""Which videos there are, and which stretches of each become clips."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from flamingo.data.collection.clips.asr_json import json_of
from flamingo.data.collection.clips.caption_files import (
    INFO,
    TIMED,
    WHOLE,
    best_captions,
    clips_of_file,
    clips_of_json,
    info_of,
)
from flamingo.data.collection.clips.lines import Clip
from flamingo.data.collection.clips.settings import ClipSettings
from flamingo.data.collection.made_samples import Refused, refused
from flamingo.data.collection.pairs.contents import local_file
from flamingo.data.collection.pairs.records import (
    CaptionPiece,
    CaptionReader,
    CaptionRecord,
    check_size,
)
from flamingo.data.collection.sources.folders import files_ending
from flamingo.data.collection.sources.safe_paths import path_below, read_bounded
from flamingo.data.collection.sources.source import stem_of
from flamingo.foundation.errors import DataError, reason

MAX_MANY = 4 << 30
"""Bytes of a file with the captions of many videos; HowTo100M's has over one billion."""


@dataclass(frozen=True)
class VideoTask:
    """A video, and the stretches of it that are wanted.

    Attributes:
        key: that the keys of its clips begin with.
        video: its file, or its bytes.
        address: of it, for reports.
        clips: stretches, or the whole video.
        provenance: what the `json` of each clip keeps.
    """

    key: str
    video: Path | bytes = field(repr=False)
    address: str
    clips: tuple[Clip, ...]
    provenance: Mapping[str, Any]


@runtime_checkable
class VideoTasks(Protocol):
    """Videos in a fixed order; can be pickled."""

    def pieces(self, size: int) -> Sequence[CaptionPiece]:
        """All of them, cut into pieces of so many; see `CaptionReader`."""

    def tasks(self, piece: CaptionPiece) -> Iterator[VideoTask | Refused]:
        """Those of a piece in order, and what is wrong with others or their captions."""


@dataclass(frozen=True)
class FolderVideos:
    """The videos of a folder, and of the folders in it, with captions beside them or elsewhere.

    Args:
        root: the folder; no video is read from outside of it.
        settings: where captions are, and how they are cut.
        endings: of videos, without the dot.
        only: paths below the folder of the videos that are meant; all of them if not given.
    """

    root: Path
    settings: ClipSettings
    endings: tuple[str, ...]
    only: tuple[str, ...] | None = None

    def videos(self) -> tuple[str, ...]:
        """Their paths below the folder, sorted."""
        if self.only is not None:
            return self.only
        return files_ending(self.root, [f".{ending}" for ending in self.endings])

    def pieces(self, size: int) -> Sequence[CaptionPiece]:
        """See `VideoTasks`; an entry is a video with the path of its captions, or themselves."""
        check_size(size)
        videos = self.videos()
        if self.settings.captions is not None and Path(self.settings.captions).is_file():
            entries = self._of_one_file(videos, Path(self.settings.captions))
        else:
            entries = self._of_many_files(videos)
        return [
            CaptionPiece(
                f"videos-{number:06d}",
                "",
                first,
                len(entries[first : first + size]),
                entries=tuple(entries[first : first + size]),
            )
            for number, first in enumerate(range(0, len(entries), size))
        ]

    def tasks(self, piece: CaptionPiece) -> Iterator[VideoTask | Refused]:
        """See `VideoTasks`."""
        for video, captions, info in piece.entries:
            place = path_below(self.root, video)
            if place is None:
                yield refused("video", "it is gone, no file, or outside of the folder", video)
                continue
            try:
                if captions is None:
                    raise DataError("there are no captions of this name")
                if isinstance(captions, str):
                    found = clips_of_file(self._captions_root, captions, self.settings)
                else:
                    found = clips_of_json(captions, "its entry", self.settings)
            except DataError as error:
                yield refused("captions", reason(error), video)
                continue
            yield from (one for one in found if isinstance(one, Refused))
            clips = tuple(one for one in found if isinstance(one, Clip))
            if not clips:
                yield refused("captions", "nothing of them makes a clip", video)
                continue
            provenance = {"source": video, **info_of(self.root, info)}
            yield VideoTask(stem_of(video), place, video, clips, provenance)

    @property
    def _captions_root(self) -> Path:
        return self.root if self.settings.captions is None else Path(self.settings.captions)

    def _of_one_file(self, videos: Sequence[str], path: Path) -> list[tuple[Any, ...]]:
        value = json_of(read_bounded(path, MAX_MANY), str(path))
        if not isinstance(value, Mapping):
            raise DataError(
                f"{path} holds a {type(value).__name__}.\nThe captions of many videos are an "
                "object whose fields are called like the videos."
            )
        return [
            (video, value.get(_stem(posixpath.basename(video))), f"{_stem(video)}{INFO}")
            for video in videos
        ]

    def _of_many_files(self, videos: Sequence[str]) -> list[tuple[Any, ...]]:
        root = self._captions_root
        if not root.is_dir():
            raise DataError(f"there is no folder {root} with captions.\nCheck the spelling.")
        beside: dict[str, list[str]] = {}
        for path in files_ending(root, (*TIMED, WHOLE)):
            folder, _, name = path.rpartition("/")
            parts = name.split(".")
            # A name may have dots of its own: every beginning of it may be the video's.
            for end in range(1, len(parts)):
                stem = posixpath.join(folder, ".".join(parts[:end]))
                beside.setdefault(stem, []).append(path)
        return [
            (
                video,
                best_captions(beside.get(_stem(video), []), _stem(video), self.settings.language),
                f"{_stem(video)}{INFO}",
            )
            for video in videos
        ]


@dataclass(frozen=True)
class TableVideos:
    """The videos that files of captions name or hold.

    Rows of one video that follow one another are stretches of it, if they have columns `start` and
    `end`; a row without these is about its whole video.

    Args:
        readers: of the files.
        settings: where paths of videos start.
    """

    readers: tuple[CaptionReader, ...]
    settings: ClipSettings

    def pieces(self, size: int) -> Sequence[CaptionPiece]:
        """See `VideoTasks`; here a piece has so many rows."""
        return [piece for reader in self.readers for piece in reader.pieces(size)]

    def tasks(self, piece: CaptionPiece) -> Iterator[VideoTask | Refused]:
        """See `VideoTasks`."""
        reader = next(reader for reader in self.readers if reader.path == piece.path)
        # What holds its video itself is a video of its own, whatever it is called.
        for _, group in groupby(reader.records(piece), key=_same_video):
            rows = []
            for one in group:
                if isinstance(one, Refused):
                    yield one
                else:
                    rows.append(one)
            if rows:
                yield from self._tasks(rows, reader)

    def _tasks(
        self, rows: Sequence[CaptionRecord], reader: CaptionReader
    ) -> Iterator[VideoTask | Refused]:
        """One video, and which of its rows are none of its stretches."""
        first = rows[0]
        where = first.address or f"{reader.path}, row {first.number + 1}"
        folder = reader.folder if self.settings.videos is None else Path(self.settings.videos)
        video = first.content or local_file(first.address, folder)
        if video is None:
            yield refused("video", "it is not in the folder of the videos", where)
            return
        clips: list[Clip] = []
        for row in rows:
            stretch = _stretch(row.fields)
            if stretch is None:
                times = f"start={row.fields.get('start')!r}, end={row.fields.get('end')!r}"
                yield refused("record", f"it names no stretch: {times}", where)
                continue
            clips += [Clip(*stretch, " ".join(text.split())) for text in row.texts]
        if not clips:
            return
        kept = {name: value for name, value in first.fields.items() if name not in _STRETCH}
        provenance = {"source": reader.path or None, "path": first.address or None, **kept}
        key = f"{stem_of(reader.path)}-{first.number:09d}"
        yield VideoTask(key, video, where, tuple(clips), provenance)


_STRETCH = ("start", "end")
_LATEST = 1e6


def _stretch(fields: Mapping[str, Any]) -> tuple[float, float | None] | None:
    """A stretch in seconds; a whole video where there are no times; None where they are none."""
    times = [fields.get(name) for name in _STRETCH]
    if all(time is None or time == "" for time in times):
        return 0.0, None
    try:
        start, end = (float(time) for time in times)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return (start, end) if 0 <= start < end < _LATEST else None


def _same_video(record: CaptionRecord | Refused) -> tuple[str, int]:
    if isinstance(record, Refused):
        return "", 0
    return record.address, 0 if record.content is None else record.number + 1


def _stem(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    return folder + slash + name.rpartition(".")[0]

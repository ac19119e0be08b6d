"""Clips with texts, from long videos with captions, and from videos with one caption each."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flamingo.data.collection.clips.decoding import ClipFrames, clip_frames, times_of
from flamingo.data.collection.clips.lines import Clip
from flamingo.data.collection.clips.packing import packed
from flamingo.data.collection.clips.settings import ClipSettings
from flamingo.data.collection.clips.tasks import FolderVideos, TableVideos, VideoTask, VideoTasks
from flamingo.data.collection.made_samples import MadeSample, Refused, refused, sample_json
from flamingo.data.collection.pairs.opening import caption_readers
from flamingo.data.collection.pairs.records import CaptionPiece
from flamingo.data.collection.pairs.texts import cleaned, refusal
from flamingo.data.datasets.addresses import expanded
from flamingo.data.datasets.media import VIDEOS
from flamingo.foundation.errors import MediaError, reason

ENDINGS = tuple(ending for ending in VIDEOS if ending != "gif")
"""Endings of videos that clips are made of."""
_FEWEST = 10
"""Words from which on repetition tells something."""
_LEAST_THERE = 0.5
"""Share of a clip that a video must have: times that run on after its end belong to another."""


@dataclass(frozen=True)
class ClipSource:
    """Clips in a fixed order. Can be pickled: processes get copies.

    Attributes:
        videos: which there are, and what is to be cut out of them.
        settings: what decides which clips are made.
    """

    videos: VideoTasks
    settings: ClipSettings

    @classmethod
    def open(cls, path: str, settings: ClipSettings) -> ClipSource:
        """Opens videos.

        Args:
            path: a video, a pattern of videos, or a folder with videos, whose captions are beside
                them or where the settings say; or else what names or holds videos: a table, JSON
                lines, a Parquet file, tars, or a folder of these.
            settings: what decides which clips are made.

        Raises:
            ConfigError: the pattern is impossible.
            DataError: there are neither videos nor tables.
        """
        return cls(_videos(path, settings), settings)

    def pieces(self, size: int) -> list[CaptionPiece]:
        """All videos, cut into pieces of so many (of tables, so many rows).

        Raises:
            ConfigError: `size` is below 1, or a column that the settings name is not there.
            DataError: a file of captions cannot be understood at all.
        """
        return list(self.videos.pieces(size))

    def samples(self, piece: CaptionPiece) -> Iterator[MadeSample | Refused]:
        """The clips of a piece, and what made none."""
        for task in self.videos.tasks(piece):
            if isinstance(task, Refused):
                yield task
            else:
                yield from self._of_video(task)

    def _of_video(self, task: VideoTask) -> Iterator[MadeSample | Refused]:
        good: list[Clip] = []
        for clip in task.clips:
            text = cleaned(clip.text, self.settings.of_texts)
            problem = refusal(text, self.settings.of_texts) or self._repeats(text)
            if problem is not None:
                yield problem
            else:
                good.append(replace(clip, text=text))
        if not good:
            return
        waiting: dict[int, MadeSample | Refused] = {}
        position = 0
        try:
            for frames in clip_frames(
                task.video,
                good,
                fps=self.settings.fps,
                longest_side=self.settings.longest_side,
                quality=self.settings.quality,
                max_whole_seconds=self.settings.max_whole_seconds,
            ):
                waiting[frames.number] = self._sample(task, good[frames.number], frames)
                while position in waiting:
                    yield waiting.pop(position)
                    position += 1
        except (MediaError, OSError) as error:
            done = position + len(waiting)
            yield from (waiting[number] for number in sorted(waiting))
            why = f"{len(good) - done} of {len(good)} clips are lost: {reason(error)}"
            yield refused("video", why, task.address)

    def _sample(self, task: VideoTask, clip: Clip, frames: ClipFrames) -> MadeSample | Refused:
        there, wanted = len(frames.pictures), len(self._times(clip))
        where = f"{task.address}, from {clip.start:.1f} s"
        if frames.num_damaged:
            lost = f"{frames.num_damaged} of {wanted} frames cannot be decoded"
            return refused("decoding", lost, where)
        if clip.is_whole and not frames.num_missing:
            longest = self.settings.max_whole_seconds
            return refused("clip-length", f"more than {longest:g} s with one caption", where)
        if not there or (not clip.is_whole and there < _LEAST_THERE * wanted):
            return refused("video", f"it ends: {there} of {wanted} frames are there", where)
        fps = self.settings.fps
        # Of a clip whose video ended, what is there is all that can be told.
        is_cut = clip.is_whole or frames.num_missing
        end = clip.start + there / fps if is_cut or clip.end is None else clip.end
        provenance: Mapping[str, Any] = {
            **task.provenance,
            "start": round(clip.start, 3),
            "end": round(end, 3),
            "fps": fps,
            "frames": there,
        }
        key = f"{task.key}-{frames.number:05d}"
        members = {
            "mp4": packed(frames.pictures, frames.width, frames.height, fps),
            "json": sample_json(clip.text, provenance),
        }
        return MadeSample(key, members, clip.text)

    def _times(self, clip: Clip) -> list[float]:
        return times_of(clip, self.settings.fps, self.settings.max_whole_seconds)

    def _repeats(self, text: str) -> Refused | None:
        """Whether words come again and again, as in what is recognized where nothing is said."""
        words = Counter(text.lower().split())
        count = words.total()
        if count < _FEWEST or len(words) >= self.settings.min_distinct * count:
            return None
        least = f"at least {self.settings.min_distinct:.0%}"
        return refused("repetition", f"{len(words)} of {count} words differ, {least}", text)


def _videos(path: str, settings: ClipSettings) -> VideoTasks:
    found = [] if "://" in path else expanded(path)
    if len(found) == 1 and os.path.isdir(found[0]):
        folder = FolderVideos(Path(found[0]), settings, ENDINGS)
        if folder.videos():
            return folder
    elif found and all(os.path.isfile(one) and _ending(one) in ENDINGS for one in found):
        whole = sorted(os.path.abspath(one) for one in found)
        root = os.path.commonpath([os.path.dirname(one) for one in whole])
        only = tuple(os.path.relpath(one, root) for one in whole)
        return FolderVideos(Path(root), settings, ENDINGS, only)
    kept = (*settings.columns.kept, "start", "end")
    columns = replace(settings.columns, kept=kept)
    return TableVideos(tuple(caption_readers(path, columns, ENDINGS)), settings)


def _ending(path: str) -> str:
    return os.path.splitext(path)[1].lower().removeprefix(".")

"""Files of videos, found by name whatever their ending: downloads come as MP4, WebM or MKV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flamingo.data.datasets.media import VIDEOS
from flamingo.evaluation.benchmarks.readers.annotation_file import existing


@dataclass(frozen=True)
class VideoFiles:
    """All videos in some folders.

    Args:
        official: the folder in which a missing video should be.
        ending: that a missing video should have.
        found: by a video's path in its folder, without ending, the whole path.
    """

    official: Path
    ending: str
    found: Mapping[str, Path]

    def path_of(self, name: str, *alternatives: str) -> Path:
        """The first of several videos that is there, else where the first one should be.

        Args:
            name: path of the video in its folder, without ending.
            alternatives: other names that it may have.
        """
        for one in (name, *alternatives):
            if one in self.found:
                return self.found[one]
        return self.official / f"{name}.{self.ending}"


def videos_in(folder: Path, name: str, *alternatives: str, ending: str = "mp4") -> VideoFiles:
    """The videos in all of these folders that are there, and in folders inside of them.

    Args:
        folder: of the benchmark.
        name: of a folder in it, ending in "/".
        alternatives: others that are searched as well.
        ending: that the benchmark's official videos have.

    Raises:
        DataError: none of the folders is there.
    """
    official = existing(folder, name, *alternatives)
    found: dict[str, Path] = {}
    for one in (name, *alternatives):
        for path in _videos_below(folder / one):
            found.setdefault(path.relative_to(folder / one).with_suffix("").as_posix(), path)
    return VideoFiles(official, ending, found)


def _videos_below(folder: Path) -> list[Path]:
    """Sorted, so that of one video in several formats it is always the same that is taken."""
    paths = (path for path in folder.rglob("*.*") if path.suffix[1:].lower() in VIDEOS)
    return sorted(paths, key=lambda path: (VIDEOS.index(path.suffix[1:].lower()), path))

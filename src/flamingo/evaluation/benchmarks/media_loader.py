"""Pictures and clips of a benchmark, loaded when they are needed and kept while there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flamingo.data.files import load_visual
from flamingo.data.sampling import Sampling
from flamingo.evaluation.benchmarks.item import Item, Media
from flamingo.foundation.errors import DataError
from flamingo.sequence import Visual

EVALUATION_SAMPLING = Sampling(fps=3.0, max_frames=30)
"""Paper: App. A.3 (30 frames at 3 per second; longer videos are thinned here, see deviations)."""

_SHOWN = 3


@dataclass
class MediaLoader:
    """Loads media; those that were used last are kept.

    Args:
        sampling: which frames of a video.
        budget: bytes of pixels that are kept.
    """

    sampling: Sampling = EVALUATION_SAMPLING
    budget: int = 256 * 2**20
    _kept: OrderedDict[Media, Visual] = field(default_factory=OrderedDict, repr=False)
    _num_bytes: int = 0

    def __call__(self, media: Media) -> Visual:
        """The picture or clip.

        Raises:
            MediaError: the file is missing or damaged.
        """
        if media in self._kept:
            self._kept.move_to_end(media)
            return self._kept[media]
        sampling = self.sampling
        visual = load_visual(
            media.path,
            fps=sampling.fps,
            num_frames=sampling.num_frames,
            max_frames=sampling.max_frames,
            start=media.start,
            end=media.end,
        )
        self._kept[media] = visual
        self._num_bytes += visual.frames.nbytes
        while self._num_bytes > self.budget and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._num_bytes -= dropped.frames.nbytes
        return visual


def present_items(
    items: Sequence[Item], what: str, *, may_be_missing: bool
) -> tuple[tuple[Item, ...], int]:
    """The items of which every file is there, and how many others there are.

    Args:
        items: of one subset.
        what: they are, for the error.
        may_be_missing: whether the others are left out instead of refused: videos vanish.

    Raises:
        DataError: files are missing and may not be, or all are.

    Paper: App. B.1.4 (videos that were still public in April 2022).
    """
    there = {path: path.is_file() for path in dict.fromkeys(_paths(items))}
    found = tuple(item for item in items if all(there[media.path] for media in item.media))
    missing = [path for path, is_there in there.items() if not is_there]
    if missing and (not may_be_missing or not found):
        shown = "".join(f"\n  {path}" for path in missing[:_SHOWN])
        more = f"\n  and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        raise DataError(
            f"{len(missing)} of the {len(there)} files of the {what} are missing:{shown}{more}\n"
            "Get them from the benchmark's official place. With --allow-missing, what needs them "
            "is left out and counted, and the score is one of a smaller benchmark."
        )
    return found, len(items) - len(found)


def _paths(items: Sequence[Item]) -> Iterable[Path]:
    return (media.path for item in items for media in item.media)

"""Pictures and clips of a benchmark, loaded when they are needed and kept while there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flamingo.data.files import load_visual
from flamingo.data.sampling import Sampling
from flamingo.evaluation.benchmarks.item import Item, Media
from flamingo.foundation.errors import DataError
from flamingo.sequence import Visual

EVALUATION_SAMPLING = Sampling(fps=3.0, max_frames=30)
"""Paper: App. A.3 (30 frames at 3 per second; longer videos are thinned here, see deviations)."""

_SHOWN = 3


class DeferredVisual(Visual):
    """A picture or clip that is decoded when its pixels are wanted, and not kept.

    Its fingerprint and its number of frames are remembered, so who knows it already need not
    decode it again.

    Args:
        media: where it is.
        loader: decodes it.
    """

    def __init__(self, media: Media, loader: MediaLoader) -> None:
        # Frozen, like what it stands for, and without the field that it stands for.
        object.__setattr__(self, "_media", media)
        object.__setattr__(self, "_loader", loader)

    def __getattr__(self, name: str) -> Any:
        if name == "frames":
            return self._loader.pixels(self._media).frames
        raise AttributeError(name)

    @property
    def num_frames(self) -> int:
        """How many frames there are."""
        number: int = self._loader.facts(self._media)[1]
        return number

    def fingerprint(self) -> str:
        """A hash of the content."""
        found: str = self._loader.facts(self._media)[0]
        return found


@dataclass
class MediaLoader:
    """Gives the pictures and clips of a benchmark; those that were decoded last are kept.

    Args:
        sampling: which frames of a video.
        budget: bytes of pixels that are kept.
        read: reads a file, as `load_visual`; the way of the model that looks can be set once it is
            known, before anything is loaded.
    """

    sampling: Sampling = EVALUATION_SAMPLING
    budget: int = 2**30
    read: Callable[..., Visual] = load_visual
    _kept: OrderedDict[Media, Visual] = field(default_factory=OrderedDict, repr=False)
    _facts: dict[Media, tuple[str, int]] = field(default_factory=dict, repr=False)
    _num_bytes: int = 0

    def __call__(self, media: Media) -> Visual:
        """The picture or clip; that it can be read has been checked.

        Raises:
            MediaError: the file is missing or damaged.
        """
        self.facts(media)
        return DeferredVisual(media, self)

    def facts(self, media: Media) -> tuple[str, int]:
        """Fingerprint and number of frames."""
        if media not in self._facts:
            visual = self.pixels(media)
            self._facts[media] = visual.fingerprint(), visual.num_frames
        return self._facts[media]

    def pixels(self, media: Media) -> Visual:
        """The picture or clip itself."""
        if media in self._kept:
            self._kept.move_to_end(media)
            return self._kept[media]
        sampling = self.sampling
        visual = self.read(
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


def present_items(items: Sequence[Item], what: str, *, may_be_missing: bool) -> tuple[Item, ...]:
    """The items of which every file is there.

    Args:
        items: of one subset.
        what: they are, for the error.
        may_be_missing: whether others may be left out instead of refused: videos vanish.

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
    return found


def _paths(items: Sequence[Item]) -> Iterable[Path]:
    return (media.path for item in items for media in item.media)

"""What is seen in a sample: decoded, and changed a little at random."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from flamingo.data.augmentations import flip, jitter_color
from flamingo.data.datasets.raw_samples import BrokenSample, RawSample
from flamingo.data.features import VisualFeatures, features_from_bytes
from flamingo.data.files import load_visual
from flamingo.data.transforms import fit_within
from flamingo.foundation.errors import FlamingoError, reason
from flamingo.sequence import Visual

FEATURES = "features"
"""The ending of precomputed features, which stand for an image or a video."""
IMAGES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "ppm", "avif", "jp2")
"""The endings of images."""
VIDEOS = ("mp4", "m4v", "mov", "webm", "mkv", "avi", "gif")
"""The endings of videos."""

STAND_IN = Visual(np.zeros((1, 1, 1, 3), np.uint8))
"""Holds the place of a visual while text is encoded, so that only what is needed is decoded."""


@dataclass(frozen=True)
class VideoFrames:
    """Which frames of a video are looked at.

    Args:
        num_frames: at most so many.
        fps: per second; of a video that has more, a stretch at this rate is taken.
    """

    num_frames: int
    fps: float


@dataclass(frozen=True)
class VisualReader:
    """Makes visuals of the members of a sample.

    Args:
        video_frames: which frames of a video. Without it still images are read, and of an
            animated one the frame in its middle.
        flip_probability: how often left and right are exchanged.
        color_jitter: by how much brightness, contrast and saturation may change.
        size: longest side in pixels that is of use; colors are changed at this size, which
            takes much less time.
    """

    video_frames: VideoFrames | None = None
    flip_probability: float = 0.0
    color_jitter: float = 0.0
    size: int | None = None

    def __call__(
        self, raw: RawSample, name: str, rng: np.random.Generator | None
    ) -> Visual | VisualFeatures:
        """The visual in a member, or the features that were computed of it.

        Args:
            raw: the sample.
            name: of the member. If there is none, `features` in place of its ending is tried.
            rng: where draws come from; without it the visual is as stored, a video from its
                beginning.

        Raises:
            BrokenSample: it is missing or damaged.
        """
        name, content = _content(raw, name)
        try:
            if name.endswith(FEATURES):
                return features_from_bytes(content)
            visual = load_visual(content, **self._sampling(rng))
        except FlamingoError as error:
            raise BrokenSample(f"{name}: {_without_size(error)}") from error
        return visual if rng is None else self._augmented(visual, rng)

    def _sampling(self, rng: np.random.Generator | None) -> dict[str, Any]:
        if self.video_frames is None:
            return {"num_frames": 1}
        return {
            "fps": self.video_frames.fps,
            "max_frames": self.video_frames.num_frames,
            "start_share": 0.0 if rng is None else float(rng.random()),
        }

    def _augmented(self, visual: Visual, rng: np.random.Generator) -> Visual:
        if self.size is not None:
            visual = _shrunk(visual, self.size)
        if self.flip_probability:
            visual = flip(visual, rng, probability=self.flip_probability)
        if self.color_jitter:
            visual = jitter_color(visual, rng, strength=self.color_jitter)
        return visual


def only_media(raw: RawSample, endings: Collection[str], named: str | None = None) -> str:
    """The one member of a sample that can be looked at.

    Args:
        raw: the sample.
        endings: of what can be looked at. Features among them come before what they stand for.
        named: what the sample's text says it belongs to; counts if no member can be looked at.

    Raises:
        BrokenSample: there is none, or there are several.
    """
    if FEATURES in endings and FEATURES in raw.names:
        return FEATURES
    found = [name for name in raw.names if name in endings]
    if len(found) == 1:
        return found[0]
    if found:
        raise BrokenSample(f"it has several members to look at: {', '.join(found)}")
    if named:
        return named
    raise BrokenSample(
        f"it has nothing to look at: no member {', '.join(endings)}, only {', '.join(raw.names)}"
    )


def _content(raw: RawSample, name: str) -> tuple[str, bytes]:
    try:
        return name, raw.read(name)
    except BrokenSample:
        features = f"{name.rpartition('.')[0]}.{FEATURES}".removeprefix(".")
        try:
            return features, raw.read(features)
        except BrokenSample:
            pass
        raise


def _shrunk(visual: Visual, size: int) -> Visual:
    """No side is longer than `size`, by the same arithmetic as in `VisualTransform`."""
    if max(visual.height, visual.width) <= size:
        return visual
    pixels = torch.from_numpy(np.array(visual.frames)).movedim(-1, 1)
    return Visual(np.ascontiguousarray(fit_within(pixels, size).movedim(1, -1).numpy()))


def _without_size(error: FlamingoError) -> str:
    """The first line of an error about bytes: "(1,234 bytes): …" says less than the name."""
    line = reason(error)
    return line.partition("bytes): ")[2] or line

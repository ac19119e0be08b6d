"""A sample of a data set without its pictures, and what is to be looked at in their place."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset

from flamingo.data.datasets import BrokenSample, DatasetConfig, RawSample, Store, open_store
from flamingo.data.datasets.annotations import annotation_of, json_object
from flamingo.data.datasets.media import (
    FEATURES,
    IMAGES,
    VIDEOS,
    VideoFrames,
    VisualReader,
    only_media,
)
from flamingo.data.datasets.pages import parse_page
from flamingo.data.skipping import Skipped
from flamingo.foundation.errors import ConfigError, DataError, SequenceError, reason
from flamingo.sequence import Visual

_TEXTS = ("txt", "json")


@dataclass(frozen=True)
class OpenedSample:
    """What is left of a sample, and what is to be looked at.

    Args:
        members: texts by the names of their members.
        visuals: the normalized frames of each visual, by the name of its member-to-be.
        skipped: what could not be used; without visuals, the whole sample.
    """

    members: dict[str, bytes]
    visuals: dict[str, Float[Tensor, "frames 3 height width"]]
    skipped: tuple[Skipped, ...] = ()


class OpenedSamples(Dataset[OpenedSample]):
    """The samples of a data set by number, as stored: nothing is drawn, nothing is augmented.

    Args:
        config: where it is, and of which kind.
        transform: from a visual to its normalized frames.

    Raises:
        ConfigError: it has no visuals.
        DataError: there is nothing, or it has features already.
    """

    def __init__(self, config: DatasetConfig, transform: Callable[[Visual], Tensor]) -> None:
        if config.kind == "text":
            raise ConfigError("A data set of text has no pictures, so it has no features either.")
        is_video = config.kind == "videos"
        self.kind, self.transform = config.kind, transform
        # Features are looked for so that they can be refused.
        self.endings = (*(VIDEOS if is_video else IMAGES), FEATURES)
        self.read = VisualReader(VideoFrames(config.num_frames, config.fps) if is_video else None)
        of_pair = (*self.endings, *_TEXTS)
        self.store: Store = open_store(
            config.path,
            endings=("json",) if config.kind == "pages" else of_pair,
            missing_shards=config.missing_shards,
        )

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, number: int) -> OpenedSample:
        """The sample of a number; one that cannot be used is named, and empty."""
        try:
            raw = self.store[number]
        except BrokenSample as error:
            return OpenedSample({}, {}, (Skipped(error.where, error.reason),))
        try:
            return self._page(raw) if self.kind == "pages" else self._pair(raw)
        except BrokenSample as error:
            return OpenedSample({}, {}, (Skipped(raw.where, error.reason),))
        except SequenceError as error:
            return OpenedSample({}, {}, (Skipped(raw.where, reason(error)),))

    def _pair(self, raw: RawSample) -> OpenedSample:
        field = "video" if self.kind == "videos" else "image"
        named = annotation_of(raw, media_field=field).media
        name = only_media(raw, self.endings, named=named)
        members = {text: raw.read(text) for text in _TEXTS if text in raw.names}
        if "json" in members:
            others = {key: value for key, value in json_object(raw).items() if key != field}
            members["json"] = _json(others)
        return OpenedSample(members, {FEATURES: self._frames(raw, name)})

    def _page(self, raw: RawSample) -> OpenedSample:
        """One picture that is broken costs a page the windows that it is in, and no more."""
        fields = json_object(raw)
        _, names = parse_page(fields)
        visuals, skipped = {}, []
        for number, name in enumerate(names):
            try:
                visuals[f"{number}.{FEATURES}"] = self._frames(raw, name)
            except BrokenSample as error:
                skipped.append(Skipped(raw.where, error.reason))
        images = _renamed(fields.get("images", []))
        return OpenedSample({"json": _json({**fields, "images": images})}, visuals, tuple(skipped))

    def _frames(self, raw: RawSample, name: str) -> Tensor:
        visual = self.read(raw, name, None)
        if not isinstance(visual, Visual):
            raise DataError(
                f"{raw.where} has precomputed features already.\n"
                "Give the data set that they were made of: features come from pictures."
            )
        return self.transform(visual)


def _renamed(images: Sequence[Any]) -> list[str | None]:
    """The images of a page by the names of their features; gaps between texts stay."""
    numbers = iter(range(len(images)))
    return [None if image is None else f"{next(numbers)}.{FEATURES}" for image in images]


def _json(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode()

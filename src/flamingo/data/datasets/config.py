"""What a data set on disk is, as settings."""

from __future__ import annotations

import math
import typing
from dataclasses import dataclass
from typing import Literal

from flamingo.foundation.errors import ConfigError, nearest

Kind = Literal["pages", "pairs", "videos", "text"]
"""What a sample is: a page with images in it, an image or a video with text, or text alone."""

MAX_TOKENS: dict[Kind, int] = {"pages": 256, "pairs": 64, "videos": 64, "text": 2048}
"""Tokens of a sequence by default: the paper's 256 for pages, the longer of its 32 and 64."""

FEWEST_TOKENS = 8
"""A sequence needs room for `<BOS>`, a tag that may be several tokens, and some text."""


@dataclass(frozen=True)
class DatasetConfig:
    """One data set: where it is, and how sequences are made of its samples.

    Args:
        kind: what a sample is.
        path: shards ("a/{000..099}.tar", "a/*.tar"), a folder, or files of JSON lines; on disk,
            or at any address that fsspec knows (`s3://`, `gs://`, `memory://`).
        batch: samples per update, over all processes.
        weight: the paper's λ.
        max_tokens: of one sequence; the paper's number for this kind if not given.
        max_visuals: images of one page.
        p_next: share of pages whose text sees the image after it instead of the one before.
        space_probability: how often the text of a pair begins with a space.
        flip: how often left and right are exchanged; 0 where sides have a meaning.
        color_jitter: by how much brightness, contrast and saturation may change; 0 is off.
        num_frames: frames of a video at most.
        fps: frames per second of a video.
        learn_prompt: whether the loss is also taken on a sample's prompt.
        shuffle: whether the order is random, new in each epoch, and samples are augmented;
            without it (for validation) order and samples are as stored.
        missing_shards: how many shards may be gone.
        seed: decides all draws, together with the step.

    Raises:
        ConfigError: a setting is out of range.

    Paper: Sec. 2.4, 3.1, App. A.3.
    """

    kind: Kind
    path: str
    batch: int = 8
    weight: float = 1.0
    max_tokens: int | None = None
    max_visuals: int = 5
    p_next: float = 0.5
    space_probability: float = 0.5
    flip: float = 0.5
    color_jitter: float = 0.2
    num_frames: int = 8
    fps: float = 1.0
    learn_prompt: bool = False
    shuffle: bool = True
    missing_shards: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        kinds = typing.get_args(Kind)
        if self.kind not in kinds:
            raise ConfigError(
                f"there are no data sets of kind {self.kind!r}.\n{nearest(self.kind, kinds)}"
            )
        if not self.path:
            raise ConfigError("the data set has no path.\nGive shards, a folder or JSON lines.")
        for name, low in _LOWEST.items():
            value = getattr(self, name)
            if value is not None and value < low:
                raise ConfigError(f"{name}={value} is impossible.\nIt must be {low} or more.")
        for name in ("weight", "fps"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ConfigError(
                    f"{name}={getattr(self, name)} is impossible.\nIt must be above 0."
                )
        for name in ("p_next", "space_probability", "flip", "color_jitter"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(
                    f"{name}={getattr(self, name)} is impossible.\nIt must lie between 0 and 1."
                )

    @property
    def token_limit(self) -> int:
        """`max_tokens`, or what the paper has for this kind."""
        return MAX_TOKENS[self.kind] if self.max_tokens is None else self.max_tokens


_LOWEST = {
    "batch": 1,
    "max_tokens": FEWEST_TOKENS,
    "max_visuals": 1,
    "num_frames": 1,
    "missing_shards": 0,
}

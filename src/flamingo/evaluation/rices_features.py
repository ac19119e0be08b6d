"""Features of a benchmark's items for RICES: the frozen encoder's, pooled, computed once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from flamingo.evaluation.benchmarks.item import Item, Media
from flamingo.evaluation.benchmarks.media_loader import MediaLoader
from flamingo.evaluation.feature_cache import FeatureCache
from flamingo.inference.predictor import Predictor
from flamingo.model.weights_identity import weights_sha256
from flamingo.prompting.feature_rows import Features
from flamingo.sequence import Visual

_AT_ONCE = 256
"""Items after which what was computed is written: a kill loses no more."""


class RicesFeatures:
    """One row per item: the mean of the encoder's features over positions, frames and visuals.

    Args:
        predictor: its vision encoder looks.
        folder: keeps what was computed, for later runs and other processes.
        progress: is called with the benchmark and the number of items that were just computed.

    Paper: Sec. 3.1 (features of the frozen vision encoder; pooling is not printed).
    """

    def __init__(
        self,
        predictor: Predictor,
        folder: Path,
        progress: Callable[[str, int], object] = lambda name, number: None,
    ) -> None:
        self.predictor, self.progress = predictor, progress
        # Its data type decides last bits: another one is another encoder.
        # All that a row hangs on besides the file: weights, preparation of pixels, arithmetic.
        told = (
            weights_sha256(predictor.model.vision_encoder),
            json.dumps(predictor.processor.image_processor.to_dict(), sort_keys=True, default=str),
            predictor.model.device.type,
        )
        self._cache = FeatureCache(folder, encoder=repr(told))

    def __call__(self, name: str, items: Sequence[Item], load: MediaLoader) -> Features:
        """`[items, width]`: what is not known yet is computed."""
        keys = [_key(item, load) for item in items]
        by_key = dict(zip(keys, items, strict=True))
        missing = self._cache.missing(keys)
        for start in range(0, len(missing), _AT_ONCE):
            piece = missing[start : start + _AT_ONCE]
            rows = [self._look([load(media) for media in by_key[key].media]) for key in piece]
            self._cache.add(piece, np.stack(rows))
            self.progress(name, len(piece))
        return self._cache.rows(keys)

    @torch.inference_mode()
    def _look(self, visuals: Sequence[Visual]) -> Features:
        model, processor = self.predictor.model, self.predictor.processor
        encoder = model.vision_encoder
        dtype = next(encoder.parameters()).dtype
        means: list[Tensor] = []
        for visual in visuals:
            pixels = processor.image_processor.transform(visual).to(model.device, dtype)
            means.append(encoder(pixels).float().mean((0, 1)))
        mean: Features = torch.stack(means).mean(0).cpu().numpy()
        return mean


def _key(item: Item, load: MediaLoader) -> str:
    """What the row hangs on besides the encoder: the files as they are now, and their frames."""
    parts = [_of_file(media) for media in item.media]
    return repr((parts, load.sampling))


def _of_file(media: Media) -> tuple[str, int, int, float | None, float | None]:
    told = media.path.stat()
    return (str(media.path.resolve()), told.st_size, told.st_mtime_ns, media.start, media.end)

"""Tells apart the eyes of models: all that makes visual tokens of pixels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from flamingo.data.image_processor import FlamingoImageProcessor
from flamingo.inference.visual_store import VisualStore
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.weights_identity import weights_sha256

_VERSION = 1
"""One more when the code makes other tokens than before of the same weights and settings."""

_SAYS_NOTHING = {
    *("language_model_source", "vision_encoder_source", "contents"),
    *("_name_or_path", "architectures", "dtype", "transformers_version"),
}
"""Settings that say where files lie. All others count: one too many costs time, one too few would
give the tokens of other eyes. The weights tell their dtype."""


def store_of(
    model: FlamingoForConditionalGeneration,
    image_processor: FlamingoImageProcessor,
    folder: str | Path,
) -> VisualStore:
    """The visual tokens that this model keeps in a folder, which other models may share.

    The model is as it is now: after further training or on another device, open it anew.

    Args:
        model: hashed once, which takes about a second per gigabyte of its eyes.
        image_processor: prepares the pixels.
        folder: made when something is put in.
    """
    return VisualStore(Path(folder), eyes_sha256(model, image_processor))


def eyes_sha256(
    model: FlamingoForConditionalGeneration, image_processor: FlamingoImageProcessor
) -> str:
    """A hash of what visual tokens hang on: weights, settings, preparation, dtype, device type.

    It does not tell apart what may move last bits besides: library versions, kinds of GPU, numbers
    of threads, and the frames that are encoded together.
    """
    parts = {
        "vision_encoder": model.vision_encoder,
        "resampler": model.resampler,
        "widen": model.widen,
    }
    told = (
        _VERSION,
        weights_sha256(nn.ModuleDict(parts)),
        settings_of(model.config.to_dict(), {"text_config"}),
        sorted(_attentions(model.vision_encoder)),
        repr(image_processor.transform),
        # TF32 and the like are far more than a last bit.
        torch.get_float32_matmul_precision(),
        model.device.type,
    )
    # As JSON: the order of a dictionary's entries means nothing.
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def settings_of(config: dict[Any, Any], but: Collection[str] = ()) -> dict[str, Any]:
    """The settings of a configuration that decide what a model makes of its inputs.

    Args:
        config: as a dictionary, which may have others in it.
        but: names of further settings to leave out.
    """
    return {
        str(name): settings_of(value, but) if isinstance(value, dict) else value
        for name, value in config.items()
        if name not in _SAYS_NOTHING and name not in but
    }


def _attentions(encoder: nn.Module) -> set[str]:
    """Which code computes attention; configurations do not save it."""
    towers = (part for part in encoder.modules() if isinstance(part, PreTrainedModel))
    return {str(getattr(tower.config, "_attn_implementation", None)) for tower in towers}

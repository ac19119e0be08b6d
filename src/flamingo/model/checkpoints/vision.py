"""Vision encoders on disk: our own folders, and CLIP- or SigLIP-style models of transformers."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoConfig, CLIPVisionModel, PreTrainedConfig, SiglipVisionModel

from flamingo.foundation.errors import CheckpointError
from flamingo.model.nfnet import NFNetConfig
from flamingo.model.resolution import at_resolution
from flamingo.model.vision_encoder import VisionEncoder, build_vision_encoder

WEIGHTS = "model.safetensors"
_TOWER = "body.tower."


def save_vision_encoder(encoder: VisionEncoder, folder: Path) -> None:
    """Writes the weights and the configuration of `encoder` into `folder`.

    A CLIP or SigLIP tower is written under transformers' own names, which loads it as well.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name.removeprefix(_TOWER): value.contiguous().cpu()
        for name, value in encoder.state_dict().items()
    }
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    config = copy.deepcopy(encoder.config)
    if hasattr(config, "vision_use_head"):
        # SigLIP's pooling head is not part of the encoder.
        config.vision_use_head = False
    config.save_pretrained(folder)


def load_vision_encoder(
    source: str | Path, *, image_size: int | None = None, **settings: Any
) -> VisionEncoder:
    """Loads an encoder from a folder or, for CLIP and SigLIP, from a hub name.

    Args:
        source: a folder that `save_vision_encoder` wrote, or what `from_pretrained` of
            transformers takes.
        image_size: height and width of pictures, where not those that it was trained with; see
            `at_resolution`.
        **settings: see `build_vision_encoder`.

    Raises:
        CheckpointError: the weights are missing or do not fit the configuration beside them.
        ConfigError: the encoder cannot see pictures of that size.
    """
    encoder = _load(source, settings)
    return encoder if image_size is None else at_resolution(encoder, image_size)


def _load(source: str | Path, settings: dict[str, Any]) -> VisionEncoder:
    config = _config_of(source)
    encoder = build_vision_encoder(config, **settings)
    body: Any = encoder
    if isinstance(config, NFNetConfig):
        path = Path(source) / WEIGHTS
        if not path.is_file():
            raise CheckpointError(
                f"The vision encoder's weights are not at {path}. The folder must hold "
                f"{WEIGHTS} and config.json, as save_vision_encoder writes them."
            )
        weights = load_file(path)
    else:
        body = body.body.tower
        weights = _tower_weights(source, encoder.config)
    result = body.load_state_dict(weights, strict=False)
    if result.missing_keys or result.unexpected_keys:
        raise CheckpointError(
            f"The weights at {source} do not fit its configuration. "
            f"Missing: {result.missing_keys or 'none'}. "
            f"Unknown: {result.unexpected_keys or 'none'}."
        )
    return encoder


def _tower_weights(source: str | Path, config: PreTrainedConfig) -> dict[str, Tensor]:
    """Those that are in the files: transformers fills what is missing with random numbers."""
    family = SiglipVisionModel if "siglip" in config.model_type else CLIPVisionModel
    tower, info = family.from_pretrained(source, output_loading_info=True)
    missing = {*info["missing_keys"], *(name for name, *_ in info["mismatched_keys"])}
    return {
        name: value
        for name, value in tower.state_dict().items()
        if not name.startswith("head.") and name not in missing
    }


def _config_of(source: str | Path) -> PreTrainedConfig:
    """The configuration beside the weights; for a two-tower model, that of its vision tower."""
    settings, _ = PreTrainedConfig.get_config_dict(source)
    if settings.get("model_type") == NFNetConfig.model_type:
        return NFNetConfig.from_dict(settings)
    config = AutoConfig.from_pretrained(source)
    return getattr(config, "vision_config", config)

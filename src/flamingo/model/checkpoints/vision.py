"""Vision encoders on disk: our own folders, and CLIP- or SigLIP-style models of transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from transformers import AutoConfig, CLIPVisionModel, PreTrainedConfig, SiglipVisionModel

from flamingo.foundation.errors import CheckpointError
from flamingo.model.nfnet import NFNetConfig
from flamingo.model.vision_encoder import VisionEncoder, build_vision_encoder

WEIGHTS = "model.safetensors"


def save_vision_encoder(encoder: VisionEncoder, folder: Path) -> None:
    """Writes the weights and the configuration of `encoder` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.contiguous().cpu() for name, value in encoder.state_dict().items()}
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    encoder.config.save_pretrained(folder)


def load_vision_encoder(source: str | Path, **settings: Any) -> VisionEncoder:
    """Loads an encoder from a folder or, for CLIP and SigLIP, from a hub name.

    Args:
        source: a folder that `save_vision_encoder` wrote, or what `from_pretrained` of
            transformers takes.
        **settings: see `build_vision_encoder`.

    Raises:
        CheckpointError: the weights are missing or do not fit the configuration beside them.
    """
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
        family = CLIPVisionModel if "clip" in encoder.config.model_type else SiglipVisionModel
        weights = family.from_pretrained(source).state_dict()
        body = body.body.tower
        weights = {name: value for name, value in weights.items() if not name.startswith("head.")}
    result = body.load_state_dict(weights, strict=False)
    if result.missing_keys or result.unexpected_keys:
        raise CheckpointError(
            f"The weights at {source} do not fit its configuration. "
            f"Missing: {result.missing_keys or 'none'}. "
            f"Unknown: {result.unexpected_keys or 'none'}."
        )
    return encoder


def _config_of(source: str | Path) -> PreTrainedConfig:
    """The configuration beside the weights; for a two-tower model, that of its vision tower."""
    settings, _ = PreTrainedConfig.get_config_dict(source)
    if settings.get("model_type") == NFNetConfig.model_type:
        return NFNetConfig.from_dict(settings)
    config = AutoConfig.from_pretrained(source)
    return getattr(config, "vision_config", config)

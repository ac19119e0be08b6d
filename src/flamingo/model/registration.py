"""Makes the Auto classes of transformers know our models."""

from __future__ import annotations

from transformers import AutoConfig, AutoModelForImageTextToText

from flamingo.model.config import FlamingoConfig
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.nfnet import NFNetConfig


def register_models() -> None:
    """Registers configurations and model; calling it again changes nothing."""
    AutoConfig.register(NFNetConfig.model_type, NFNetConfig, exist_ok=True)
    AutoConfig.register(FlamingoConfig.model_type, FlamingoConfig, exist_ok=True)
    AutoModelForImageTextToText.register(
        FlamingoConfig, FlamingoForConditionalGeneration, exist_ok=True
    )

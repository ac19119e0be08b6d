"""Makes the Auto classes and pipelines of transformers know our classes."""

from __future__ import annotations

from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoProcessor,
)

from flamingo.data.image_processor import FlamingoImageProcessor
from flamingo.data.processor import FlamingoProcessor
from flamingo.model.config import FlamingoConfig
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.language_models.mosaic_gpt import MosaicGPTForCausalLM
from flamingo.model.language_models.mosaic_gpt_config import MosaicGPTConfig
from flamingo.model.nfnet import NFNetConfig


def register() -> None:
    """Registers configurations, models and processors; calling it again changes nothing."""
    AutoConfig.register(NFNetConfig.model_type, NFNetConfig, exist_ok=True)
    AutoConfig.register(MosaicGPTConfig.model_type, MosaicGPTConfig, exist_ok=True)
    AutoModelForCausalLM.register(MosaicGPTConfig, MosaicGPTForCausalLM, exist_ok=True)
    AutoConfig.register(FlamingoConfig.model_type, FlamingoConfig, exist_ok=True)
    AutoModelForImageTextToText.register(
        FlamingoConfig, FlamingoForConditionalGeneration, exist_ok=True
    )
    AutoProcessor.register(FlamingoConfig, FlamingoProcessor, exist_ok=True)
    AutoImageProcessor.register(
        FlamingoConfig,
        # One class for both: with "pil" alone, transformers announces a fallback.
        image_processor_classes={
            "pil": FlamingoImageProcessor,
            "torchvision": FlamingoImageProcessor,
        },
        exist_ok=True,
    )

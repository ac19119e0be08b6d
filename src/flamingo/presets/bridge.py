"""From settings to a Flamingo that can be trained, with its processor: the model of a recipe."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from safetensors import SafetensorError

from flamingo.data.image_processor import FlamingoImageProcessor
from flamingo.data.processor import FlamingoProcessor
from flamingo.foundation.errors import CheckpointError, ConfigError
from flamingo.inference.model_names import find_model
from flamingo.inference.processors import processor_for
from flamingo.model.build import build_flamingo
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.resolution import at_resolution
from flamingo.model.vision_encoder import VisionEncoder
from flamingo.presets.from_preset import bridge_settings
from flamingo.presets.models import model_preset
from flamingo.presets.pretrained_parts import (
    DTYPES,
    Precision,
    full_name,
    language_model,
    store_as,
    vision_encoder,
)


@dataclass(frozen=True)
class BridgeShape:
    """The new parts between vision encoder and language model; see `FlamingoConfig`."""

    num_latents: int = 64
    num_time_embeddings: int = 8
    resampler_dim: int | None = None
    resampler_layers: int = 6
    resampler_heads: int = 16
    resampler_head_dim: int = 128
    resampler_ffw_multiple: int = 4
    xattn_every: int = 1
    xattn_heads: int | None = None
    xattn_head_dim: int | None = None
    xattn_ffw_multiple: int = 4
    xattn_ffw_dim: int | None = None
    xattn_activation: str | None = None
    xattn_norm: str = "layer"
    xattn_norm_eps: float = 1e-5
    xattn_visual_norm: bool = True
    xattn_qk_norm: str | None = None
    xattn_offset: int = 0
    activation: str = "squared_relu"
    resampler_activation: str | None = None
    resampler_qk_norm: str | None = None
    resampler_positions: int = 0
    resampler_local_latents: int = 0
    widen_visual_tokens: bool = True
    resampler_kind: str = "perceiver"
    xattn_at: str | None = None
    xattn_kind: str = "gated_xattn_dense"
    grafted_layers: int | None = None
    gating: str = "tanh"
    gate_shape: str = "scalar"
    sees: str = "last"

    @classmethod
    def of_preset(cls, name: str) -> BridgeShape:
        """The bridge of one of the paper's models."""
        return cls(**bridge_settings(model_preset(name)))


@dataclass(frozen=True)
class ModelSettings:
    """Which model is trained, and what of it.

    Args:
        vision: the vision encoder: a folder, a hub name, or "random".
        language: the language model with its tokenizer: a folder, a hub name, or "random".
        start_from: a Flamingo to go on from instead: a folder, a hub name, or "miniature". It
            brings both pretrained parts and its bridge.
        shape: the preset whose shape "random" parts have.
        image_size: height and width of pictures; None: the encoder's own.
        dtype: how frozen weights are stored, and the exported model.
        freeze_vision_encoder: whether the vision encoder keeps its weights.
        freeze_language_model: whether the language model keeps its weights.
        bridge: the shape of the new parts; None: that of `start_from`.
        export: "full" leaves a folder with all weights; "trained" one with those that were
            trained, which finds the others where they were loaded from.

    Paper: Sec. 2, App. B.1.2 (formats), App. B.2.2 (fine-tuning).
    """

    vision: str | None = None
    language: str | None = None
    start_from: str | None = None
    shape: str | None = None
    image_size: int | None = None
    dtype: Precision = "bf16"
    freeze_vision_encoder: bool = True
    freeze_language_model: bool = True
    bridge: BridgeShape | None = BridgeShape()
    export: Literal["full", "trained"] = "full"


@dataclass(frozen=True)
class Assembled:
    """A model, and the processor that makes its inputs."""

    model: FlamingoForConditionalGeneration
    processor: FlamingoProcessor


def assemble(settings: ModelSettings) -> Assembled:
    """The model that the settings describe, its frozen weights in their number format.

    Raises:
        ConfigError: settings are missing or contradict each other.
        CheckpointError: a pretrained part is not where it should be.
    """
    made = _anew(settings) if settings.start_from is None else _continued(settings)
    store_as(made.model, DTYPES[settings.dtype])
    return made


def vision_encoder_of(settings: ModelSettings) -> VisionEncoder:
    """The vision encoder alone, as `assemble` would take it.

    Raises:
        ConfigError: settings are missing or contradict each other.
        CheckpointError: it is not where it should be.
    """
    if settings.start_from is not None:
        return _continued(settings).model.vision_encoder
    return vision_encoder(settings.vision, shape=settings.shape, image_size=settings.image_size)


def fit_of(settings: ModelSettings) -> str:
    """How pictures are made square for that encoder, see `VisualTransform`.

    Raises:
        CheckpointError: the model to go on from is not where it should be.
    """
    if settings.start_from is None:
        return "pad"
    fit: str = FlamingoProcessor.from_pretrained(
        find_model(settings.start_from)
    ).image_processor.fit
    return fit


def _anew(settings: ModelSettings) -> Assembled:
    if settings.bridge is None:
        raise ConfigError(
            "model.bridge is null, which means the bridge of model.start_from, but that is not "
            "given.\nGive a Flamingo to go on from, or a shape: model.bridge.num_latents=64."
        )
    encoder = vision_encoder_of(settings)
    base, tokenizer = language_model(
        settings.language, shape=settings.shape, dtype=DTYPES[settings.dtype]
    )
    # A folder of this run means nothing to who loads the checkpoint elsewhere.
    base.config._name_or_path = ""
    processor = FlamingoProcessor(_image_processor(encoder), tokenizer)
    ids = processor.encoder().prepared.ids
    model = build_flamingo(
        base,
        encoder,
        image_token_id=ids.image[0],
        eoc_token_id=ids.eoc,
        eos_token_id=ids.eos,
        pad_token_id=ids.pad,
        language_model_source=full_name(settings.language),
        vision_encoder_source=full_name(settings.vision),
        freeze_vision_encoder=settings.freeze_vision_encoder,
        freeze_language_model=settings.freeze_language_model,
        **dataclasses.asdict(settings.bridge),
    )
    return Assembled(model, processor)


def _continued(settings: ModelSettings) -> Assembled:
    for part in ("vision", "language"):
        if getattr(settings, part) is not None:
            raise ConfigError(
                f"model.start_from={settings.start_from} brings its own {part} part, but "
                f"model.{part}={getattr(settings, part)} names another.\nSay model.{part}=null."
            )
    assert settings.start_from is not None
    source = find_model(settings.start_from)
    try:
        model = FlamingoForConditionalGeneration.from_pretrained(source)
        processor: Any = processor_for(source, model.config)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"model.start_from={settings.start_from} cannot be loaded: {error}\n"
            "It should be a folder that a run has left, with the files of the processor."
        ) from error
    _check_bridge(settings, model.config)
    if settings.image_size is not None:
        _resize(model, settings.image_size)
        processor.image_processor = _image_processor(
            model.vision_encoder, processor.image_processor
        )
    _freeze(model, settings)
    return Assembled(model, processor)


def _check_bridge(settings: ModelSettings, config: Any) -> None:
    """A shape that is asked for and not had would be dropped without a word."""
    asked = {} if settings.bridge is None else dataclasses.asdict(settings.bridge)
    differing = {
        name: (getattr(config, name), value)
        for name, value in asked.items()
        if value != getattr(config, name)
    }
    if differing:
        listed = ", ".join(f"{n} is {old}, not {new}" for n, (old, new) in differing.items())
        raise ConfigError(
            f"model.start_from={settings.start_from} has another bridge than model.bridge asks "
            f"for: its {listed}.\nSay model.bridge=null to take it as it is."
        )


def _resize(model: FlamingoForConditionalGeneration, image_size: int) -> None:
    encoder = at_resolution(model.vision_encoder, image_size)
    model.vision_encoder = encoder
    model.config.vision_config = encoder.config
    model.config.vision_settings = encoder.settings


def _freeze(model: FlamingoForConditionalGeneration, settings: ModelSettings) -> None:
    """What learns from here on, whatever learned before."""
    model.config.freeze_vision_encoder = settings.freeze_vision_encoder
    model.config.freeze_language_model = settings.freeze_language_model
    model.requires_grad_(True)
    model.freeze_pretrained()


def _image_processor(
    encoder: VisionEncoder, before: FlamingoImageProcessor | None = None
) -> FlamingoImageProcessor:
    """What prepares pictures for the encoder, in the way in which it was done before."""
    if before is None:
        return FlamingoImageProcessor(encoder.image_size, encoder.mean, encoder.std)
    return FlamingoImageProcessor(
        encoder.image_size,
        before.image_mean,
        before.image_std,
        fit=before.fit,
        reading=before.reading,
    )

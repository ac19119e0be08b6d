"""Puts a Flamingo together from a language model and a vision encoder that already exist."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from flamingo.foundation.errors import ConfigError, nearest
from flamingo.model.config import FlamingoConfig
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.vision_encoder import VisionEncoder

SETTINGS = frozenset(
    name
    for name in FlamingoConfig().to_dict()
    if name.startswith(("resampler_", "xattn_", "num_latents", "num_time", "activation"))
    or name in ("widen_visual_tokens", "freeze_language_model", "freeze_vision_encoder")
    or name in ("gating", "gate_shape", "sees", "grafted_layers")
)


def build_flamingo(
    language_model: PreTrainedModel,
    vision_encoder: VisionEncoder,
    *,
    eoc_token_id: int,
    image_token_id: int | None = None,
    eos_token_id: int | None = None,
    pad_token_id: int | None = None,
    language_model_source: str | None = None,
    vision_encoder_source: str | None = None,
    **settings: Any,
) -> FlamingoForConditionalGeneration:
    """A Flamingo around `language_model` and `vision_encoder`, its gates closed.

    Both are taken over as they are (not copied), with their weights, and frozen unless
    `settings` says otherwise.

    Args:
        language_model: any transformers causal LM whose decoder layers are one `ModuleList`.
        vision_encoder: a `VisionEncoder`.
        eoc_token_id: id of `<EOC>`, as `data.tokenizer.prepare_tokenizer` gives it.
        image_token_id: id of `<image>`, or `None` where the tag is plain text of the LM's own
            tokens.
        eos_token_id: id of the LM's end of sequence, which ends an answer as `<EOC>` does.
        pad_token_id: id used for padding.
        language_model_source: where the LM came from, so that a checkpoint can name it.
        vision_encoder_source: the same for the vision encoder.
        **settings: any of `SETTINGS`, see `FlamingoConfig`.

    Raises:
        ConfigError: a setting does not exist.
        LanguageModelError: the language model cannot carry gated layers.
    """
    for name in settings:
        if name not in SETTINGS:
            raise ConfigError(f"No setting {name!r} of a Flamingo. {nearest(name, SETTINGS)}")
    learned = [token for token in (image_token_id, eoc_token_id) if token is not None]
    if pad_token_id is not None and pad_token_id not in learned:
        # A token for padding that is new needs a row as well, though nothing ever sees it.
        known = language_model.get_input_embeddings().weight.shape[0]
        learned += [pad_token_id] if pad_token_id >= known else []
    config = FlamingoConfig(
        language_model.config,
        vision_encoder.config,
        vision_settings=vision_encoder.settings,
        image_token_id=image_token_id,
        eoc_token_id=eoc_token_id,
        new_token_ids=learned,
        language_model_source=language_model_source,
        vision_encoder_source=vision_encoder_source,
        **settings,
    )
    model = FlamingoForConditionalGeneration(
        config, language_model=language_model, vision_encoder=vision_encoder
    )
    if model.new_tokens is not None:
        start_rows_near(model.new_tokens.input_rows, model.host.embedding)
        if model.new_tokens.output_rows is not None:
            start_rows_near(model.new_tokens.output_rows, model.host.head)
    stops = [token for token in (eoc_token_id, eos_token_id) if token is not None]
    model.generation_config.update(
        eos_token_id=stops,
        pad_token_id=eoc_token_id if pad_token_id is None else pad_token_id,
        suppress_tokens=None if image_token_id is None else [image_token_id],
    )
    return model


def start_rows_near(rows: nn.Parameter, table: nn.Module) -> None:
    """Draws new rows like the rows of a frozen table: same mean, same spread."""
    weight: Any = table.weight
    if weight.is_meta:
        return
    frozen = weight.detach().float()
    with torch.no_grad():
        rows.copy_(frozen.mean(0) + frozen.std() * torch.randn_like(rows, dtype=torch.float32))

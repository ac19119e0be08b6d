"""The two pretrained parts of a Flamingo: from a folder, from a hub, or random for dry runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from flamingo.foundation.errors import CheckpointError, ConfigError, FlamingoError, reason
from flamingo.miniature.tokenizer import build_tokenizer
from flamingo.model.checkpoints.vision import load_vision_encoder
from flamingo.model.vision_encoder import VisionEncoder, build_vision_encoder
from flamingo.presets.from_preset import language_model_config, vision_config
from flamingo.presets.models import model_preset

RANDOM = "random"
"""In place of a folder: random weights in the shape of a preset."""

Precision = Literal["bf16", "fp32"]
DTYPES: dict[Precision, torch.dtype] = {"bf16": torch.bfloat16, "fp32": torch.float32}

_NEEDS = {
    "vision": "the vision encoder: a folder that `flamingo train` left of the contrastive stage, "
    "or a CLIP- or SigLIP-style model of transformers",
    "language": "the language model: a folder with a causal language model of transformers and "
    "its tokenizer",
}


def vision_encoder(
    source: str | None, *, shape: str | None = None, image_size: int | None = None
) -> VisionEncoder:
    """The vision encoder of a run.

    Args:
        source: a folder, a hub name, or "random".
        shape: the preset whose shape a random one has.
        image_size: height and width of pictures, where not the encoder's own.

    Raises:
        ConfigError: no source is given, or nothing says which shape.
        CheckpointError: there is nothing at the source, or it does not fit together.
    """
    source = _checked("vision", source)
    if source == RANDOM:
        config = vision_config(model_preset(_shape("vision", shape)).vision)
        settings = {} if image_size is None else {"image_size": image_size}
        return build_vision_encoder(config, **settings)
    try:
        return load_vision_encoder(source, image_size=image_size)
    except FlamingoError:
        raise
    except (OSError, ValueError, SafetensorError) as error:
        raise _unreadable("vision", source, error) from error


def language_model(
    source: str | None, *, shape: str | None = None, dtype: torch.dtype = torch.bfloat16
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The language model of a run and its tokenizer.

    A random one reads with the miniature's tokenizer, which any text can be written in.

    Args:
        source: a folder, a hub name, or "random".
        shape: the preset whose shape a random one has.
        dtype: of its weights.

    Raises:
        ConfigError: no source is given, or nothing says which shape.
        CheckpointError: there is nothing at the source, or it cannot be read.
    """
    source = _checked("language", source)
    if source == RANDOM:
        config = language_model_config(model_preset(_shape("language", shape)).language_model)
        model: Any = AutoModelForCausalLM.from_config(config, dtype=dtype)
        return model, build_tokenizer()
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
        return AutoModelForCausalLM.from_pretrained(source, dtype=dtype), tokenizer
    except (OSError, ValueError, SafetensorError) as error:
        raise _unreadable("language", source, error) from error


def full_name(source: str | None) -> str | None:
    """A name by which a checkpoint finds a part from any folder; none for a random one."""
    if source is None or source == RANDOM:
        return None
    path = Path(source).expanduser()
    return str(path.resolve()) if path.is_dir() else source


def store_as(module: nn.Module, dtype: torch.dtype) -> None:
    """Gives the frozen parameters of a module a number format; those that learn keep theirs.

    Buffers keep theirs as well: tables of positions lose their angles in 16 bits.
    """
    for parameter in module.parameters():
        if not parameter.requires_grad and parameter.is_floating_point():
            parameter.data = parameter.data.to(dtype)


def _checked(part: str, source: str | None) -> str:
    if source is None:
        raise ConfigError(
            f"model.{part} is not given, and this recipe has no pretrained part of its own.\n"
            f"It names {_NEEDS[part]}. Say model.{part}=FOLDER, or model.{part}={RANDOM} for a "
            "dry run with random weights."
        )
    path = Path(source).expanduser()
    if path.is_dir() and not (path / "config.json").is_file():
        found = ", ".join(sorted(entry.name for entry in path.iterdir())[:8])
        raise CheckpointError(
            f"model.{part}={source} is a folder without config.json, so it is not a saved model. "
            f"It holds: {found or '(nothing)'}.\nIt should hold {_NEEDS[part]}."
        )
    is_name = source.count("/") == 1 and not source.startswith((".", "/", "~"))
    if source != RANDOM and not path.is_dir() and not is_name:
        raise CheckpointError(
            f"model.{part}={source} is neither a folder nor a name on a hub (owner/name).\n"
            f"It should be {_NEEDS[part]}. Relative paths start at {Path.cwd()}."
        )
    return str(path) if path.is_dir() else source


def _shape(part: str, shape: str | None) -> str:
    if shape is None:
        raise ConfigError(
            f"model.{part}={RANDOM} needs a shape.\n"
            "Name a preset that has it, for instance model.shape=flamingo-3b."
        )
    return shape


def _unreadable(part: str, source: str, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"model.{part}={source} cannot be loaded: {reason(error)}\n"
        f"It should be {_NEEDS[part]}. A name on a hub needs a network, or a copy that was "
        "downloaded before."
    )

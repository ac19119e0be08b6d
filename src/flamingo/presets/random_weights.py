"""Models of real sizes without their weights: for measuring, which does not look at numbers."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from transformers import AutoModelForImageTextToText

from flamingo.foundation.errors import CheckpointError, ConfigError, nearest
from flamingo.inference.memory_use import parameter_bytes
from flamingo.inference.model_names import BUNDLED, find_model
from flamingo.model.config import FlamingoConfig
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.presets.from_preset import build_preset
from flamingo.presets.models import MODELS


def random_flamingo(
    name: str | Path, *, device: torch.device, dtype: torch.dtype
) -> FlamingoForConditionalGeneration:
    """A model with random weights, in evaluation mode, nothing of it trained.

    Its weights are made where they stay and in the format that they have there, so they need no
    more memory than the model itself.

    Args:
        name: a preset, a bundled model, a folder, or owner/name on a hub; of all but a preset only
            config.json is read.
        device: where it is.
        dtype: of its weights.

    Raises:
        ConfigError: there is no such preset, and no such model; or the memory of this machine is
            smaller than the weights.
        CheckpointError: config.json cannot be read, or is not that of a Flamingo.
    """
    config = build_preset(MODELS[str(name)]).config if str(name) in MODELS else _config(name)
    if device.type == "cpu":
        _check_memory(name, parameter_bytes(_built(config, torch.device("meta"), dtype)))
    return _built(config, device, dtype).eval().requires_grad_(False)


def _built(
    config: FlamingoConfig, device: torch.device, dtype: torch.dtype
) -> FlamingoForConditionalGeneration:
    with device:
        model: FlamingoForConditionalGeneration = AutoModelForImageTextToText.from_config(
            config, dtype=dtype
        )
    return model


def _check_memory(name: str | Path, num_bytes: int) -> None:
    """Refuses what a system would end the process for; a GPU says so by itself."""
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return
    there_is = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if num_bytes > there_is:
        raise ConfigError(
            f"The weights of {name} take {num_bytes / 2**30:,.1f} GiB, and this machine has "
            f"{there_is / 2**30:,.1f} GiB of memory. Measure a smaller model, in fewer bits."
        )


def _config(name: str | Path) -> FlamingoConfig:
    known = [*MODELS, *BUNDLED]
    if str(name) not in known and not Path(name).is_dir() and str(name).count("/") != 1:
        raise ConfigError(
            f"There is no model preset called {str(name)!r}, and no folder of this name. "
            f"{nearest(str(name), known)}"
        )
    source = find_model(name)
    try:
        return FlamingoConfig.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"The configuration of {str(name)!r} cannot be read from {source}: {error}\n"
            "Check the name; a name on a hub needs a network."
        ) from error

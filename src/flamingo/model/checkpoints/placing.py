"""Loads the frozen language model: where it is to lie, and in how many bits."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel
from transformers.utils import logging

from flamingo.foundation.errors import CheckpointError, reason

OPTIONS = (
    "device_map",
    "max_memory",
    "offload_folder",
    "offload_buffers",
    "quantization_config",
)
"""Arguments of transformers' `from_pretrained` that are for the language model alone.

It is nearly all of a Flamingo's weights. The resampler, the gated layers and the vision encoder are
never quantized and never offloaded: they are what the language model sees through."""


def load_language_model(
    source: str,
    *,
    config: PreTrainedConfig | None = None,
    key_mapping: Mapping[str, str] | None = None,
    dtype: torch.dtype | str | None = None,
    **options: Any,
) -> PreTrainedModel:
    """A causal language model, which fills all of its weights from its source.

    Args:
        source: a folder or a hub name.
        config: instead of the one beside the weights.
        key_mapping: from patterns of names in the files to the model's own, as in transformers.
        dtype: of its weights; that of the files by default.
        **options: see `OPTIONS`.

    Raises:
        CheckpointError: a weight is missing, or has another shape; or the library for what is
            asked is not installed.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if config is not None:
        given["config"] = config
    if key_mapping is not None:
        given["key_mapping"] = dict(key_mapping)
    try:
        # What else is in the files is not the language model's, and transformers would list it.
        with quiet():
            model, info = AutoModelForCausalLM.from_pretrained(
                source, dtype="auto" if dtype is None else dtype, output_loading_info=True, **given
            )
    except ImportError as error:
        raise CheckpointError(
            f"What was asked for needs a library that is not installed: {reason(error)}\n"
            "pip install 'flamingo-vlm[large]' brings accelerate and bitsandbytes."
        ) from error
    missing = sorted(info["missing_keys"]) + sorted(map(str, info["mismatched_keys"]))
    if missing:
        raise CheckpointError(
            f"{source} does not fill the language model: {', '.join(missing[:6])} "
            f"({len(missing)} in all) are missing or of another shape.\n"
            "The checkpoint is incomplete, or config.json is another's."
        )
    loaded: PreTrainedModel = model
    return loaded


def with_room_for(num_bytes: int, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options by which the language model leaves room for what will lie on the first GPU beside it.

    Args:
        num_bytes: of that.
        options: see `OPTIONS`; with `max_memory`, the user has thought of it.
    """
    chosen = dict(options)
    is_spread = isinstance(chosen.get("device_map"), str) and chosen["device_map"] != "cpu"
    if is_spread and not chosen.get("max_memory") and torch.cuda.is_available():
        room = {n: torch.cuda.mem_get_info(n)[0] for n in range(torch.cuda.device_count())}
        room[0] = max(0, room[0] - num_bytes)
        memory = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        # What is read and computed needs some as well.
        chosen["max_memory"] = {n: int(0.9 * free) for n, free in room.items()} | {"cpu": memory}
    return chosen


def is_placed(model: nn.Module) -> bool:
    """Whether the language model's weights are where accelerate, or a quantizer, put them."""
    return any(
        getattr(module, "hf_device_map", None) or getattr(module, "is_quantized", False)
        for module in model.modules()
    )


def device_of(language_model: PreTrainedModel) -> torch.device:
    """Where the new parts belong: where the language model computes its first layer."""
    places = getattr(language_model, "hf_device_map", None) or {}
    for place in places.values():
        if place not in ("cpu", "disk"):
            return torch.device(place)
    parameter = next(p for p in language_model.parameters())
    return torch.device("cpu") if places or parameter.is_meta else parameter.device


@contextmanager
def quiet() -> Iterator[None]:
    """Transformers' warnings are left out inside."""
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)

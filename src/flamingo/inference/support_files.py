"""Support sets on disk: what a model has read, in one safetensors file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from flamingo.foundation.errors import DataError
from flamingo.foundation.whole_files import written_whole
from flamingo.inference.eyes import settings_of
from flamingo.inference.support_cache import SupportCache
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.growing_cache import GrowingCache
from flamingo.model.variants.grafting import GraftedCacheLayer
from flamingo.model.visual_cache import VisualCacheLayer
from flamingo.model.weights_identity import weights_sha256, weights_stamp
from flamingo.prompting import Template

_FORMAT = 1
_ADDED = {kind.__name__: kind for kind in (VisualCacheLayer, GraftedCacheLayer)}
"""Layers that a Flamingo adds behind those of its language model."""

_NOT_KEPT = ("_room", "device")
"""Attributes of layers that are made anew."""


def save_supports(
    supports: SupportCache, path: Path, model: FlamingoForConditionalGeneration
) -> None:
    """Writes a support set, whole or not at all.

    Args:
        supports: what is written.
        path: of the file; one that is there is replaced.
        model: has read it.

    Raises:
        SequenceError: another model has read it.
        DataError: the file cannot be written.
    """
    supports.check(model)
    tensors: dict[str, Tensor] = {}
    layers = [
        [type(layer).__name__, _taken_apart(vars(layer), f"{number}", tensors)]
        for number, layer in enumerate(supports.cache.layers)
    ]
    about = {
        "format": _FORMAT,
        "model_sha256": model_sha256(model),
        "token_ids": supports.token_ids,
        "visual_index": supports.visual_index,
        "num_visuals": supports.num_visuals,
        "template": dataclasses.astuple(supports.template),
        "layers": layers,
    }
    try:
        with written_whole(path) as unfinished:
            save_file(tensors, unfinished, metadata=_signed(about, tensors))
    except (OSError, SafetensorError) as error:
        raise DataError(
            f"The support set of {len(supports)} tokens cannot be written to {path}: {error}.\n"
            "Check that there is room on the disk and that the folder may be written to."
        ) from error


def load_supports(path: Path, model: FlamingoForConditionalGeneration) -> SupportCache:
    """A support set that `save_supports` wrote, on the model's device.

    Raises:
        DataError: the file is missing or damaged, or another model has written it.
    """
    if not path.is_file():
        raise DataError(
            f"There is no file {path} with a support set. "
            "Give the path of one that Predictor.save_supports wrote."
        )
    try:
        with safe_open(path, framework="pt", device=str(model.device)) as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        about = json.loads(metadata["supports"])
        if metadata != _signed(about, tensors):
            raise ValueError("its checksum is that of other contents")
        if about["format"] != _FORMAT:
            raise ValueError(f"its format is {about['format']}, this release reads {_FORMAT}")
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise DataError(
            f"{path} is not a whole support set: {error!r}.\n"
            "Read the supports again, and save them with Predictor.save_supports."
        ) from error
    if about["model_sha256"] != model_sha256(model):
        raise DataError(
            f"The support set in {path} was read by another model, or by this one with other "
            f"settings or in another number format (hash {about['model_sha256'][:16]}…).\n"
            "Read the supports again with this model."
        )
    cache = GrowingCache(model.config.get_text_config(decoder=True))
    for number, (kind, state) in enumerate(about["layers"]):
        if number == len(cache.layers):
            cache.layers.append(_ADDED[kind]())
        vars(cache.layers[number]).update(_put_together(state, tensors), device=model.device)
    return SupportCache(
        token_ids=tuple(about["token_ids"]),
        visual_index=tuple(about["visual_index"]),
        num_visuals=about["num_visuals"],
        template=Template(*about["template"]),
        cache=cache,
        stamp=weights_stamp(model),
    )


def model_sha256(model: FlamingoForConditionalGeneration) -> str:
    """A hash of all that decides how a model reads: its weights and its settings."""
    told = (weights_sha256(model), settings_of(model.config.to_dict()))
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def _signed(about: dict[str, Any], tensors: dict[str, Tensor]) -> dict[str, str]:
    """The metadata of a file, with a checksum of them and of all numbers."""
    text = json.dumps(about)
    checksum = zlib.crc32(text.encode())
    for name in sorted(tensors):
        values = tensors[name].detach().cpu().contiguous().flatten().view(torch.uint8)
        checksum = zlib.crc32(values.numpy().data, zlib.crc32(name.encode(), checksum))
    return {"supports": text, "checksum": str(checksum)}


def _taken_apart(state: dict[Any, Any], name: str, tensors: dict[str, Tensor]) -> list[Any]:
    """A layer's attributes as JSON; the tensors among them go into `tensors`."""
    plain = []
    for key, value in state.items():
        if key in _NOT_KEPT:
            continue
        if isinstance(value, dict):
            plain.append([key, "dict", _taken_apart(value, f"{name}.{key}", tensors)])
        elif isinstance(value, Tensor):
            tensors[f"{name}.{key}"] = value.contiguous()
            plain.append([key, "tensor", f"{name}.{key}"])
        elif isinstance(value, torch.dtype):
            plain.append([key, "dtype", str(value).removeprefix("torch.")])
        else:
            plain.append([key, "plain", value])
    return plain


def _put_together(plain: list[Any], tensors: dict[str, Tensor]) -> dict[Any, Any]:
    """What `_taken_apart` took apart."""
    state: dict[Any, Any] = {}
    for key, kind, value in plain:
        if kind == "dict":
            state[key] = _put_together(value, tensors)
        elif kind == "tensor":
            state[key] = tensors[value]
        else:
            state[key] = getattr(torch, value) if kind == "dtype" else value
    return state

"""Puts a Flamingo together from a checkpoint whose parts are loaded each in its own way."""

from __future__ import annotations

from math import prod
from typing import Any, TypeVar

import torch
from torch import nn
from transformers import PreTrainedModel

from flamingo.model.checkpoints.placing import device_of, with_room_for
from flamingo.model.checkpoints.released_checkpoint import ReleasedCheckpoint
from flamingo.model.config import FlamingoConfig

Model = TypeVar("Model", bound=PreTrainedModel)


def assembled(
    model_class: type[Model],
    checkpoint: ReleasedCheckpoint,
    *,
    dtype: torch.dtype | None = None,
    **options: Any,
) -> Model:
    """The model of a checkpoint, in evaluation mode.

    Args:
        model_class: of the whole model.
        checkpoint: of which nothing is read yet.
        dtype: of the weights; that of the files by default.
        **options: of the language model, see `placing.OPTIONS`.

    Raises:
        CheckpointError: the checkpoint is not exactly what its settings say.
    """
    # Before anything large is read: a name that is wrong shows by the files' tables of contents.
    translation = checkpoint.translation(tensor_shapes(model_class, checkpoint.config))
    others = sum(
        prod(source.shape) * (dtype or source.dtype).itemsize
        for name, source in translation.items()
        if not name.startswith("language_model.")
    )
    language_model = checkpoint.load_language_model(dtype=dtype, **with_room_for(others, options))
    vision_encoder = checkpoint.load_vision_encoder(dtype)
    with torch.device("meta"):
        model = model_class(
            checkpoint.config, language_model=language_model, vision_encoder=vision_encoder
        )
    device = device_of(language_model)
    vision_encoder.to(device)
    for name, parameter in [*model.named_parameters()]:
        if not parameter.is_meta or name.startswith("language_model."):
            continue
        tensor = translation[name].read()
        owner, _, own_name = name.rpartition(".")
        filled = tensor.to(device, dtype or tensor.dtype, copy=True)
        setattr(
            model.get_submodule(owner),
            own_name,
            nn.Parameter(filled, requires_grad=parameter.requires_grad),
        )
    model.generation_config = checkpoint.generation_config
    model.generation_config.use_cache = True
    return model.eval()


def tensor_shapes(
    model_class: type[PreTrainedModel], config: FlamingoConfig
) -> dict[str, tuple[int, ...]]:
    """The shapes of all tensors that a checkpoint of such a model holds; tied ones once."""
    with torch.device("meta"):
        model: Any = model_class(config)
    tied = set(model.all_tied_weights_keys)
    return {n: tuple(t.shape) for n, t in model.state_dict().items() if n not in tied}

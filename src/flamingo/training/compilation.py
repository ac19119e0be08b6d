"""What makes a training step smaller or faster without changing what it computes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn

from flamingo.foundation.errors import ConfigError
from flamingo.model.flamingo import FlamingoForConditionalGeneration


def checkpoint_activations(model: nn.Module) -> None:
    """Keeps no activations inside of layers; they are computed again in the backward pass.

    Raises:
        ConfigError: the model has no such thing.
    """
    # Older releases of transformers know it by its older name.
    enable: Any = getattr(model, "activation_checkpointing_enable", None)
    enable = enable or getattr(model, "gradient_checkpointing_enable", None)
    if enable is None:
        raise ConfigError(
            f"training.activation_checkpointing is not there for a {type(model).__name__}. "
            f"Use training.micro_batches or smaller batches to save memory."
        )
    enable({"use_reentrant": False})


def compile_layers(model: nn.Module) -> None:
    """Compiles the repeated layers of a model one by one, in place.

    A layer is compiled once for all layers like it, and between them Python stays free to do
    what cannot be compiled, such as handing the visuals to the gated layers. Names in
    checkpoints stay as they are.
    """
    for layer in _layers(model):
        layer.compile()


def _layers(model: nn.Module) -> Iterator[nn.Module]:
    if isinstance(model, FlamingoForConditionalGeneration):
        yield model.vision_encoder.body
        yield from model.resampler.layers
        yield from model.gated_xattn_dense  # type: ignore[misc]
        yield from model.host.layers
        return
    yield model

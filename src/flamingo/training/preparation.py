"""Brings a model with frozen parts into the modes and number formats that training needs."""

from __future__ import annotations

import torch
from torch import nn

from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.training.parameter_groups import trained_parameters


def set_train_mode(model: nn.Module) -> None:
    """Training mode for what learns, evaluation mode for every part that is wholly frozen.

    Frozen parts must not drop activations or move running statistics. Stock decoder layers keep
    checkpoints of their activations in training mode only, so those stay in it themselves (their
    dropout was silenced when checkpointing was switched on), and all that is in them rests.
    """
    model.train()
    _rest_frozen(model)
    is_flamingo = isinstance(model, FlamingoForConditionalGeneration)
    if is_flamingo and model.is_activation_checkpointing:  # type: ignore[attr-defined]
        for layer in model.host.layers:  # type: ignore[union-attr]
            layer.training = True


def modes_of(model: nn.Module) -> list[tuple[nn.Module, bool]]:
    """Every module with the mode that it is in."""
    return [(module, module.training) for module in model.modules()]


def restore_modes(modes: list[tuple[nn.Module, bool]]) -> None:
    """Undoes every change of mode since `modes_of`."""
    for module, is_training in modes:
        module.training = is_training


def keep_masters_in_fp32(model: nn.Module) -> None:
    """Gives every trained parameter 32 bits: updates are often smaller than a bf16 step.

    Frozen parameters keep the format that they have.

    Paper: Sec. 2.4 (trained parameters and accumulators in float32).
    """
    for parameter in trained_parameters(model).values():
        if parameter.is_floating_point() and parameter.dtype != torch.float32:
            parameter.data = parameter.data.float()


def _rest_frozen(module: nn.Module) -> None:
    parameters = list(module.parameters())
    if parameters and not any(parameter.requires_grad for parameter in parameters):
        module.eval()
        return
    for child in module.children():
        _rest_frozen(child)

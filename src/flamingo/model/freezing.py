"""Keeping the pretrained parts as they are: no gradient, and evaluation mode throughout."""

from __future__ import annotations

from torch import nn


def freeze(module: nn.Module) -> None:
    """Switches off gradients and everything that behaves otherwise in training."""
    module.requires_grad_(False)
    module.eval()


def trained_names(model: nn.Module) -> frozenset[str]:
    """Names of the parameters that training changes, as in `state_dict`."""
    return frozenset(name for name, value in model.named_parameters() if value.requires_grad)

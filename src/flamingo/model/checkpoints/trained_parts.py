"""Checkpoints that hold what was trained, and name the frozen parts instead of copying them."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from flamingo.foundation.errors import CheckpointError
from flamingo.model.freezing import trained_names

WEIGHTS = "trained.safetensors"


def save_trained(model: nn.Module, folder: Path) -> None:
    """Writes the trained parameters of `model` into `folder`."""
    names = trained_names(model)
    weights = {
        name: value.detach().contiguous().cpu()
        for name, value in model.named_parameters()
        if name in names
    }
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})


def load_trained(model: nn.Module, folder: Path) -> None:
    """Reads trained parameters into `model`, each of which must be there.

    Raises:
        CheckpointError: the file is missing, or its names or shapes are not the model's.
    """
    path = folder / WEIGHTS
    if not path.is_file():
        raise CheckpointError(
            f"{folder} says that it holds trained parts, but {WEIGHTS} is not in it. "
            "The checkpoint is incomplete; copy the whole folder again."
        )
    given = load_file(path)
    parameters = dict(model.named_parameters())
    _compare(path, given, {name: parameters[name] for name in trained_names(model)})
    with torch.no_grad():
        for name, value in given.items():
            parameters[name].copy_(value)


def _compare(path: Path, given: dict[str, Tensor], wanted: dict[str, nn.Parameter]) -> None:
    """Names every difference between what a file gives and what a model wants."""
    missing = sorted(wanted.keys() - given.keys())
    unknown = sorted(given.keys() - wanted.keys())
    misshapen = [
        f"{name}: {tuple(given[name].shape)} in the file, {tuple(wanted[name].shape)} in the model"
        for name in sorted(wanted.keys() & given.keys())
        if given[name].shape != wanted[name].shape
    ]
    if missing or unknown or misshapen:
        raise CheckpointError(
            f"{path} does not fit the model. Missing: {missing or 'none'}. Unknown: "
            f"{unknown or 'none'}. Of another shape: {misshapen or 'none'}.\n"
            "Load it with the language model and the vision encoder that it was trained with."
        )

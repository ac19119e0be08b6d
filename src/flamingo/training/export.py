"""The trained model as its users want it: whole, in one folder, apart from the run's state."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from flamingo.foundation.errors import ConfigError
from flamingo.training.identity import persistent_buffers
from flamingo.training.parallelism import full_tensor, is_sharded
from flamingo.training.parameter_groups import trained_parameters
from flamingo.training.processes import Processes

MODEL = "model"

Export = Callable[[Path], None]
"""Writes a model into the folder that it is given."""


def export_model(
    model: nn.Module,
    learned: Mapping[str, Tensor],
    run_folder: Path,
    processes: Processes,
    *,
    export: Export | None,
    rebuild: Callable[[], tuple[nn.Module, Export | None]] | None,
) -> None:
    """Writes the folder `model` of a run, whole or not at all; the first process does it.

    Args:
        model: as it was trained, perhaps in shards.
        learned: what was trained of it, by name.
        run_folder: of the run.
        processes: all must call this.
        export: for a model that every process has whole.
        rebuild: makes the model anew, with its export, where the trained one is in shards.

    Raises:
        ConfigError: the model is in shards, and there is no way to make it anew.
    """
    if export is None:
        return
    if is_sharded(model):
        whole = _gathered(learned, keep=processes.is_first)
        if processes.is_first:
            _write(run_folder, *_rebuilt(whole, rebuild))
    elif processes.is_first:
        _write(run_folder, model, export)
    processes.wait()


def _write(run_folder: Path, model: nn.Module, export: Export) -> None:
    model.eval()
    write_folder(run_folder / MODEL, export)


def write_folder(target: Path, write: Callable[[Path], None]) -> None:
    """Lets a folder be written that is there whole or not at all; one of that name is replaced."""
    temporary = target.with_name(f".{target.name}.writing")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    write(temporary)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(temporary, target)


def _gathered(learned: Mapping[str, Tensor], *, keep: bool) -> dict[str, Tensor]:
    """Every trained tensor whole and on the CPU, one after the other, where it is to be kept."""
    whole = {}
    for name, tensor in learned.items():
        full = full_tensor(tensor.detach())
        if keep:
            whole[name] = full.cpu()
    return whole


def _rebuilt(
    whole: Mapping[str, Tensor],
    rebuild: Callable[[], tuple[nn.Module, Export | None]] | None,
) -> tuple[nn.Module, Export]:
    model, export = rebuild() if rebuild is not None else (None, None)
    if model is None or export is None:
        raise ConfigError(
            "A model in shards is exported by making it anew, but this run was not told how. "
            "Give the trainer `rebuild`; the checkpoint is complete, nothing is lost."
        )
    own = {**trained_parameters(model), **persistent_buffers(model)}
    with torch.no_grad():
        for name, tensor in whole.items():
            own[name].data = tensor.to(own[name].device)
    return model, export

"""Checkpoints: written whole or not at all, checked before use, made of safe formats only."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from flamingo.foundation.errors import CheckpointError
from flamingo.foundation.records import json_text
from flamingo.training.optimizers import Optimizers
from flamingo.training.parameter_groups import trained_parameters

WEIGHTS, OPTIMIZER, MANIFEST = "weights.safetensors", "optimizer.pt", "checkpoint.json"
_FOLDER = re.compile(r"step-(\d{6,})")


class Checkpoints:
    """The checkpoints of one run: `step-000500/`, … in one folder.

    A checkpoint holds the trained parameters, the persistent buffers and the optimizers' state;
    frozen parameters only by a hash of their names and shapes. Random numbers need no state:
    they are a function of the seed and the step. A folder without a manifest, or whose files
    are not what the manifest says, does not count.

    Args:
        folder: where they are.
        keep: how many stay besides the final one.
        warn: called with a sentence about every folder that is passed over.
    """

    def __init__(self, folder: Path, keep: int, warn: Callable[[str], None]) -> None:
        self.folder, self.keep, self.warn = folder, keep, warn

    def save(self, step: int, model: nn.Module, optimizers: Optimizers, final_step: int) -> Path:
        """Writes the checkpoint of `step` updates, then removes those no longer needed."""
        target = self.folder / f"step-{step:06d}"
        temporary = self.folder / f".{target.name}.writing"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        save_file(_to_save(model), temporary / WEIGHTS)
        torch.save(optimizers.state_dict(), temporary / OPTIMIZER)
        files = {name: _digest(temporary / name) for name in (WEIGHTS, OPTIMIZER)}
        record = {"format": 1, "step": step, "files": files, **_shape_of(model)}
        (temporary / MANIFEST).write_text(json_text(record), encoding="utf-8")
        _flush(temporary)
        if target.exists():
            shutil.rmtree(target)
        os.replace(temporary, target)
        self._remove_old(final_step)
        return target

    def newest(self) -> Path | None:
        """The newest complete checkpoint, or None; says which newer ones are not complete."""
        for path in reversed(self._folders()):
            reason = _fault(path)
            if reason is None:
                return path
            self.warn(f"The checkpoint {path} is passed over: {reason}.")
        return None

    def load(self, path: Path, model: nn.Module, optimizers: Optimizers) -> int:
        """Puts a checkpoint into a model and its optimizers; returns the updates behind it.

        Raises:
            CheckpointError: it belongs to a model of another shape.
        """
        record = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        _check_shape(path, record, model)
        tensors = load_file(path / WEIGHTS)
        own = {**trained_parameters(model), **_buffers(model)}
        with torch.no_grad():
            for name, tensor in tensors.items():
                own[name].copy_(tensor)
        states = torch.load(path / OPTIMIZER, map_location="cpu", weights_only=True)
        optimizers.load_state_dict(states)
        return int(record["step"])

    def _folders(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        found = [path for path in self.folder.iterdir() if _FOLDER.fullmatch(path.name)]
        return sorted(found, key=_step_of)

    def _remove_old(self, final_step: int) -> None:
        others = [path for path in self._folders() if _step_of(path) != final_step]
        for path in others[: -self.keep]:
            shutil.rmtree(path)


def _step_of(path: Path) -> int:
    match = _FOLDER.fullmatch(path.name)
    assert match is not None
    return int(match[1])


def _buffers(model: nn.Module) -> dict[str, Tensor]:
    persistent = model.state_dict().keys()
    return {name: b for name, b in model.named_buffers() if name in persistent}


def _to_save(model: nn.Module) -> dict[str, Tensor]:
    tensors: Mapping[str, Tensor] = {**trained_parameters(model), **_buffers(model)}
    # A clone on the CPU: safetensors refuses tensors that share memory or have strides.
    return {
        name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()
    }


def _shape_of(model: nn.Module) -> dict[str, Any]:
    frozen = [
        f"{name}{list(p.shape)}" for name, p in model.named_parameters() if not p.requires_grad
    ]
    return {
        "trained": {name: list(p.shape) for name, p in trained_parameters(model).items()},
        "frozen": {
            "count": len(frozen),
            "hash": hashlib.blake2b("\n".join(frozen).encode(), digest_size=16).hexdigest(),
        },
        "buffers": {name: list(b.shape) for name, b in _buffers(model).items()},
    }


def _check_shape(path: Path, record: Mapping[str, Any], model: nn.Module) -> None:
    now = _shape_of(model)
    for part in ("trained", "buffers"):
        names = sorted(
            name
            for name in record[part].keys() | now[part].keys()
            if record[part].get(name) != now[part].get(name)
        )
        if names:
            first = names[0]
            raise CheckpointError(
                f"{path} belongs to another model: {len(names)} {part} tensors differ. The first "
                f"is {first!r}: {record[part].get(first, 'absent')} in the checkpoint, "
                f"{now[part].get(first, 'absent')} in the model. "
                f"Train with the recipe of this run, or into another folder."
            )
    if record["frozen"] != now["frozen"]:
        raise CheckpointError(
            f"{path} was made with other frozen parts: {record['frozen']['count']} frozen "
            f"parameters there, {now['frozen']['count']} here, or of other names and shapes. "
            f"Train with the recipe of this run, or into another folder."
        )


def _fault(path: Path) -> str | None:
    try:
        record = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        for name, digest in record["files"].items():
            if _digest(path / name) != digest:
                return f"{name} is not the file that was written"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return f"{MANIFEST} cannot be read"
    return None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _flush(folder: Path) -> None:
    """Makes sure that the files are on the disk before the folder gets its final name."""
    for path in _with_files(folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _with_files(folder: Path) -> Iterator[Path]:
    yield from folder.iterdir()
    if os.name == "posix":
        yield folder

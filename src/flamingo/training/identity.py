"""What a model is apart from what it learns: names, shapes, and which weights are frozen in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from flamingo.foundation.errors import CheckpointError
from flamingo.training.parameter_groups import trained_parameters

Identity = dict[str, Any]
_SAMPLES = 64
"""Numbers of each frozen tensor that are looked at."""


def identity_of(model: nn.Module) -> Identity:
    """What must be the same where a checkpoint is loaded; taken before a model is sharded.

    Frozen weights are told apart by a few numbers of each tensor: reading all of them would take
    minutes for a large model, and weights from another training differ everywhere.
    """
    frozen = {n: p for n, p in model.named_parameters() if not p.requires_grad}
    return {
        "trained": {name: list(p.shape) for name, p in trained_parameters(model).items()},
        "buffers": {name: list(b.shape) for name, b in persistent_buffers(model).items()},
        "frozen": {
            "count": len(frozen),
            "shapes": _hash(f"{name}{list(p.shape)}" for name, p in frozen.items()),
            "values": _hash(f"{name}{_sample(p)}" for name, p in frozen.items()),
        },
    }


def check_identity(path: Path, then: Mapping[str, Any], now: Identity) -> None:
    """Refuses a checkpoint of another model.

    Raises:
        CheckpointError: something differs; the message says what.
    """
    for part in ("trained", "buffers"):
        names = sorted(
            name
            for name in then[part].keys() | now[part].keys()
            if then[part].get(name) != now[part].get(name)
        )
        if names:
            first = names[0]
            raise CheckpointError(
                f"{path} belongs to another model: {len(names)} {part} tensors differ. The first "
                f"is {first!r}: {then[part].get(first, 'absent')} in the checkpoint, "
                f"{now[part].get(first, 'absent')} in the model. "
                f"Train with the recipe of this run, or into another folder."
            )
    old, new = then["frozen"], now["frozen"]
    if old != new:
        what = (
            "the same names and shapes, but other values"
            if old["shapes"] == new["shapes"]
            else f"{old['count']} frozen parameters there, {new['count']} here, or of other names "
            "and shapes"
        )
        raise CheckpointError(
            f"{path} was made with other frozen parts: {what}. "
            f"Train with the recipe and the pretrained parts of this run, or into another folder."
        )


def persistent_buffers(model: nn.Module) -> dict[str, Tensor]:
    """The buffers that belong to a model's state, by name."""
    persistent = model.state_dict().keys()
    return {name: b for name, b in model.named_buffers() if name in persistent}


def digest_of(path: Path) -> str:
    """A hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _sample(parameter: nn.Parameter) -> list[float]:
    if parameter.is_meta:
        return []
    flat = parameter.detach().flatten()
    positions = torch.linspace(
        0, len(flat) - 1, min(_SAMPLES, len(flat)), dtype=torch.float64
    ).long()
    values: list[float] = flat[positions.to(flat.device)].float().tolist()
    return values


def _hash(texts: Any) -> str:
    return hashlib.blake2b("\n".join(texts).encode(), digest_size=16).hexdigest()

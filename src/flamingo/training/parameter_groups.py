"""Which trained parameters decay, and at which learning rate each of them moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from torch import nn

from flamingo.training.config import TrainingConfig

_NEW_ROWS = ("input_rows", "output_rows")
"""Embeddings of new tokens, beside the frozen table."""

Kind = Literal["matrix", "resampler", "vector", "embedding", "gate"]


@dataclass
class ParameterGroup:
    """Parameters that share a weight decay and a learning-rate multiplier."""

    name: str
    weight_decay: float
    learning_rate_multiplier: float
    is_muon: bool = False
    names: list[str] = field(default_factory=list)
    parameters: list[nn.Parameter] = field(default_factory=list)


def trained_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that training changes, by name; a shared one appears once."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def kind_of(name: str, parameter: nn.Parameter, owner: nn.Module) -> Kind:
    """What a parameter is, as far as weight decay is concerned.

    A tensor with fewer than two dimensions longer than one is a bias, a norm or a gain.
    """
    parts = name.split(".")
    if parts[-1].startswith("alpha_"):
        return "gate"
    if any("resampler" in part for part in parts):
        return "resampler"
    is_table = parts[-1] in _NEW_ROWS or any("embed" in part for part in parts)
    if isinstance(owner, nn.Embedding) or is_table:
        return "embedding"
    if sum(size > 1 for size in parameter.shape) < 2:
        return "vector"
    return "matrix"


def parameter_groups(model: nn.Module, config: TrainingConfig) -> list[ParameterGroup]:
    """Sorts the trained parameters of a model into groups of one decay and one rate each.

    Only matrices (and convolution kernels) decay: not the Perceiver Resampler, which is the
    paper's rule, and not norms, biases, gates and embeddings, which is common practice.

    Paper: App. B.1.2.
    """
    groups: dict[str, ParameterGroup] = {}
    for name, parameter, owner in _owned_parameters(model):
        kind = kind_of(name, parameter, owner)
        is_muon = config.optimizer == "muon" and _suits_muon(name, parameter, kind)
        decay = config.weight_decay if kind == "matrix" else 0.0
        label, rate = _label_and_rate(kind, is_muon, config)
        part, part_rate = _part_and_rate(name, config)
        group = groups.setdefault(
            part + label, ParameterGroup(part + label, decay, rate * part_rate, is_muon)
        )
        group.names.append(name)
        group.parameters.append(parameter)
    return sorted(groups.values(), key=lambda group: group.name)


def _label_and_rate(kind: Kind, is_muon: bool, config: TrainingConfig) -> tuple[str, float]:
    if is_muon:
        label = "muon" if kind == "matrix" else "muon_undecayed"
        return label, config.muon_learning_rate_multiplier
    if kind == "gate":
        return "gates", config.gate_learning_rate_multiplier
    return "decayed" if kind == "matrix" else "undecayed", 1.0


def _part_and_rate(name: str, config: TrainingConfig) -> tuple[str, float]:
    """The multiplier of a pretrained part that is trained as well, and a prefix for its groups."""
    part = name.partition(".")[0]
    rates = {
        "language_model": config.language_learning_rate_multiplier,
        "vision_encoder": config.vision_learning_rate_multiplier,
    }
    rate = rates.get(part, 1.0)
    return ("" if rate == 1.0 else f"{part} "), rate


def _suits_muon(name: str, parameter: nn.Parameter, kind: Kind) -> bool:
    """Muon is for matrices between hidden layers; the output layer and tables are not."""
    parts = name.split(".")
    is_hidden = parts[-1] == "weight" and not any("head" in part for part in parts[-2:])
    has_two_sides = parameter.ndim == 2 and min(parameter.shape) > 1
    return is_hidden and has_two_sides and kind in ("matrix", "resampler")


def _owned_parameters(model: nn.Module) -> Iterator[tuple[str, nn.Parameter, nn.Module]]:
    owners = dict(model.named_modules())
    for name, parameter in trained_parameters(model).items():
        yield name, parameter, owners[name.rpartition(".")[0]]

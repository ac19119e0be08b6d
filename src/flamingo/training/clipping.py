"""Gradients cut down to size before an update: all together, or unit by unit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from flamingo.training.config import TrainingConfig
from flamingo.training.errors import NonFiniteLossError

_EPS = 1e-3
"""The least norm that a unit counts by, so that one which starts at zero can leave it."""


def clip_gradient(named: Mapping[str, nn.Parameter], config: TrainingConfig, step: int) -> float:
    """Scales the gradient down to what `config` allows and returns its norm before that.

    With `config.adaptive_clip`, the units of the vision encoder are clipped each for itself,
    and `config.clip_norm` is for the other parameters; else it is for all.

    Args:
        named: the trained parameters by name, on one process or spread over several.
        config: of the run.
        step: named in errors.

    Raises:
        NonFiniteLossError: the gradient is infinite or not a number.

    Paper: App. B.1.2 (global norm 1) and B.1.3 (adaptive on the NFNet, global norm 10 on BERT).
    """
    trained = {name: p for name, p in named.items() if p.grad is not None}
    is_adaptive = {name: config.adaptive_clip > 0 and _is_vision(name) for name in trained}
    vision = [parameter for name, parameter in trained.items() if is_adaptive[name]]
    others = [parameter for name, parameter in trained.items() if not is_adaptive[name]]
    norm_of_others = _total_norm(others)
    norm = math.hypot(float(norm_of_others), float(_total_norm(vision)))
    if not math.isfinite(norm):
        raise NonFiniteLossError(
            f"The gradient has norm {norm} at step {step}, though every loss is finite. "
            f"No update was made. Try training.precision=fp32 or a lower training.learning_rate."
        )
    for parameter in vision:
        clip_by_units(parameter, config.adaptive_clip)
    if config.clip_norm > 0:
        for part in _spread_and_whole(others):
            torch.nn.utils.clip_grads_with_norm_(part, config.clip_norm, norm_of_others)
    return norm


@torch.no_grad()
def clip_by_units(parameter: nn.Parameter, limit: float) -> None:
    """Adaptive gradient clipping: no unit's gradient is longer than `limit` times the unit.

    A unit is what makes one output: a row of a matrix, a filter of a convolution; a bias or a
    gain is one unit as a whole.

    Paper: App. B.1.3; Brock et al. 2021, "High-Performance Large-Scale Image Recognition
    Without Normalization", Sec. 4.1.
    """
    gradient = parameter.grad
    assert gradient is not None
    most = _unit_norms(parameter).clamp(min=_EPS) * limit
    # A unit without gradient is divided by the limit itself, and stays zero.
    norms = _unit_norms(gradient)
    gradient.mul_(torch.where(norms > most, most / norms.clamp(min=1e-30), torch.ones_like(norms)))


def _unit_norms(value: Tensor) -> Tensor:
    if sum(size > 1 for size in value.shape) < 2:
        return torch.linalg.vector_norm(value)
    return torch.linalg.vector_norm(value, dim=tuple(range(1, value.ndim)), keepdim=True)


def _total_norm(parameters: Sequence[nn.Parameter]) -> Tensor:
    norms = []
    for part in _spread_and_whole(parameters):
        norm = torch.nn.utils.get_total_norm([p.grad for p in part if p.grad is not None])
        norms.append(norm.full_tensor() if isinstance(norm, DTensor) else norm)
    if not norms:
        return torch.zeros(())
    return norms[0] if len(norms) == 1 else torch.hypot(*norms)


def _spread_and_whole(parameters: Sequence[nn.Parameter]) -> list[list[nn.Parameter]]:
    """Those spread over processes and those that are not: torch does not take them together."""
    spread = [p for p in parameters if isinstance(p.grad, DTensor)]
    whole = [p for p in parameters if not isinstance(p.grad, DTensor)]
    return [part for part in (spread, whole) if part]


def _is_vision(name: str) -> bool:
    return "vision_encoder" in name.split(".")

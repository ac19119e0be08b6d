"""One model on several processes: the same everywhere, or each process a part of every weight."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor

from flamingo.foundation.errors import ConfigError
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.training.config import TrainingConfig
from flamingo.training.processes import Processes


@runtime_checkable
class Parallelism(Protocol):
    """How several processes train one model.

    The gradient of an update is the sum of what all processes computed; each weighs its own loss
    by its share of the batch, so that nothing depends on how many there are.
    """

    loss_scale: float

    def sum_gradients(self, parameters: list[nn.Parameter]) -> None:
        """Completes the gradients after the last backward pass of an update."""
        ...


class Replicated:
    """Every process has the whole model; gradients are added up once per update."""

    loss_scale = 1.0

    def __init__(self, processes: Processes) -> None:
        self.processes = processes

    def sum_gradients(self, parameters: list[nn.Parameter]) -> None:
        """One exchange for all gradients; where a process has none, it brings zeros."""
        if self.processes.count == 1:
            return
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        flat = torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])
        dist.all_reduce(flat)
        sizes = [parameter.numel() for parameter in parameters]
        for parameter, part in zip(parameters, flat.split(sizes), strict=True):
            parameter.grad = part.view_as(parameter).clone()


class Sharded:
    """Every process keeps a part of each weight, of its gradient and of its optimizer state.

    A decoder layer or a gated layer is brought together when it runs, and let go afterwards.
    The vision encoder is small and stays whole everywhere, as in the paper, unless it is trained.

    Args:
        model: a Flamingo; it is changed in place.
        config: of the run.
        device: of this process.
        processes: the others.

    Raises:
        ConfigError: the model cannot be sharded, or the optimizer needs whole matrices.

    Paper: App. B.1.2 (16-way sharding of the language and gated layers, none of the NFNet).
    """

    def __init__(
        self,
        model: nn.Module,
        config: TrainingConfig,
        device: torch.device,
        processes: Processes,
    ) -> None:
        if config.optimizer == "muon":
            raise ConfigError(
                "training.optimizer=muon orthogonalizes whole matrices, which no process has under "
                "training.parallel=shard. Use adamw, or training.parallel=replicate."
            )
        # FSDP divides the sum of gradients by the processes; ours is a sum.
        self.loss_scale = float(processes.count)
        whole = _kept_whole(model)
        for module in whole:
            module.to(device)
        precision = config.precision == "bf16"
        settings: dict[str, Any] = {
            "mesh": init_device_mesh(device.type, (processes.count,)),
            "mp_policy": MixedPrecisionPolicy(
                param_dtype=torch.bfloat16 if precision else None,
                reduce_dtype=torch.float32,
                cast_forward_inputs=False,
            ),
        }
        for unit in _units(model):
            fully_shard(unit, **settings)
        ignored = {p for module in whole for p in module.parameters()}
        fully_shard(model, **settings, reshard_after_forward=False, ignored_params=ignored)

    def sum_gradients(self, parameters: list[nn.Parameter]) -> None:
        """Done already, layer by layer, while each backward pass went on."""


def parallelism(
    model: nn.Module, config: TrainingConfig, device: torch.device, processes: Processes
) -> Parallelism:
    """Puts a model where it is trained, as `config.parallel` says."""
    if processes.count > 1 and config.parallel == "shard":
        return Sharded(model, config, device, processes)
    model.to(device)
    return Replicated(processes)


def is_sharded(model: nn.Module) -> bool:
    """Whether this process has only a part of the model's weights."""
    return any(isinstance(parameter, DTensor) for parameter in model.parameters())


def full_tensor(tensor: Tensor) -> Tensor:
    """The whole of a tensor of which each process may have a part; all must ask."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def _units(model: nn.Module) -> Iterator[nn.Module]:
    """The layers that are brought together one at a time."""
    if not isinstance(model, FlamingoForConditionalGeneration):
        raise ConfigError(
            f"training.parallel=shard divides the layers of a Flamingo, not of a "
            f"{type(model).__name__}. Use training.parallel=replicate."
        )
    yield from model.host.layers
    yield from model.gated_xattn_dense  # type: ignore[misc]


def _kept_whole(model: nn.Module) -> list[nn.Module]:
    encoder = getattr(model, "vision_encoder", None)
    if encoder is None or any(p.requires_grad for p in encoder.parameters()):
        return []
    return [encoder]

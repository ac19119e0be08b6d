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
        """One exchange for all gradients."""
        if self.processes.count > 1:
            _sum_over_processes(parameters)


class Sharded:
    """Every process keeps a part of each weight, of its gradient and of its optimizer state.

    A decoder layer or a gated layer is brought together when it runs, and let go afterwards.
    The vision encoder is small and stays whole everywhere, as in the paper.

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
        units = list(_units(model))
        if config.optimizer == "muon":
            raise ConfigError(
                "training.optimizer=muon orthogonalizes whole matrices, which no process has under "
                "training.parallel=shard. Use adamw, or training.parallel=replicate."
            )
        # FSDP divides the sum of gradients by the number of processes; ours is a sum.
        self.loss_scale = float(processes.count)
        encoder: Any = model.vision_encoder
        encoder.to(device)
        self.whole = [p for p in encoder.parameters() if p.requires_grad]
        precision = config.precision == "bf16"
        settings: dict[str, Any] = {
            "mesh": init_device_mesh(device.type, (processes.count,)),
            "mp_policy": MixedPrecisionPolicy(
                param_dtype=torch.bfloat16 if precision else None,
                reduce_dtype=torch.float32,
                cast_forward_inputs=False,
            ),
        }
        for unit in units:
            fully_shard(unit, **settings)
        ignored = set(encoder.parameters())
        fully_shard(model, **settings, reshard_after_forward=False, ignored_params=ignored)

    def sum_gradients(self, parameters: list[nn.Parameter]) -> None:
        """Done already, layer by layer, but for what every process has whole."""
        _sum_over_processes(self.whole)
        for parameter in self.whole:
            if parameter.grad is not None:
                parameter.grad /= self.loss_scale


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


def _sum_over_processes(parameters: list[nn.Parameter]) -> None:
    """Adds up gradients in one exchange; where a process has none, it brings zeros."""
    if not parameters:
        return
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        # In place: a gradient whose memory lies otherwise than its weight's would be misread.
        gradient.copy_(part.view_as(gradient))

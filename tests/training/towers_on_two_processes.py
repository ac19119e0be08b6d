"""Two small towers, trained on by one process or by two; the latter leave what they computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Shard, distribute_tensor

from flamingo.foundation.sharing import Share
from flamingo.model.contrastive import ContrastiveModel, build_text_tower
from flamingo.model.nfnet import NFNetConfig
from flamingo.model.vision_encoder import build_vision_encoder
from flamingo.training.clipping import clip_gradient
from flamingo.training.config import TrainingConfig
from flamingo.training.contrastive_objective import ContrastiveObjective

ROWS_AT_ONCE = 2
CASES = [(8, None), (5, None), (8, ROWS_AT_ONCE), (5, ROWS_AT_ONCE)]
"""Pairs in the whole batch, and rows that go through the towers together."""
CLIPS = {
    "global": TrainingConfig(clip_norm=0.1),
    "adaptive": TrainingConfig(clip_norm=0.1, adaptive_clip=0.01),
}


def towers() -> ContrastiveModel:
    torch.manual_seed(0)
    config = NFNetConfig(variant="custom", depths=[1], channels=[16], image_size=16)
    text = build_text_tower(vocab_size=11, dim=16, num_layers=1, num_heads=2, max_tokens=6)
    model = ContrastiveModel(build_vision_encoder(config), text, dim=8)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return model


def batch_of(num_rows: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(1, 11, (num_rows, 5), generator=generator)
    pixels = torch.randn(num_rows, 3, 16, 16, generator=generator)
    return {"pixels": pixels, "token_ids": ids, "token_mask": torch.ones_like(ids)}


def gradients(
    objective: ContrastiveObjective, batch: dict[str, Tensor], share: float = 1.0
) -> tuple[float, dict[str, Tensor]]:
    """What one process adds to the loss and to every gradient."""
    model = towers()
    loss = objective(model, batch, "pairs").loss * share
    loss.backward()
    found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return float(loss.detach()), found


def spread(grads: dict[str, Tensor]) -> dict[str, torch.nn.Parameter]:
    """The towers' parameters, each cut between the processes, with these gradients; some whole."""
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    placed = {}
    for name, parameter in towers().named_parameters():
        gradient = grads.get(name)
        if gradient is None:
            continue
        if parameter.ndim and name != "visual_projection.weight":
            parameter = torch.nn.Parameter(distribute_tensor(parameter.data, mesh, [Shard(0)]))
            gradient = distribute_tensor(gradient, mesh, [Shard(0)])
        parameter.grad = gradient.clone()
        placed[name] = parameter
    return placed


def work(rank: int, folder: str) -> None:
    """What each of the two processes does; the first one saves all results."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    results: dict[str, Any] = {}
    for num_rows, at_once in CASES:
        rows = Share(rank, 2).rows(num_rows)
        own = {name: value[rows.start : rows.stop] for name, value in batch_of(num_rows).items()}
        objective = ContrastiveObjective(rows_at_once=at_once)
        loss, found = gradients(objective, own, objective.denominator(own) / num_rows)
        total = torch.tensor(loss)
        for value in (total, *found.values()):
            dist.all_reduce(value)
        results[f"{num_rows} {at_once}"] = (float(total), found)
    for name, config in CLIPS.items():
        placed = spread(found)
        norm = clip_gradient(placed, config, step=0)
        results[name] = (norm, {key: _whole(p.grad) for key, p in placed.items()})
    if rank == 0:
        torch.save(results, Path(folder) / "results.pt")
    dist.barrier()
    dist.destroy_process_group()


def _whole(gradient: Tensor | None) -> Tensor:
    assert gradient is not None
    return gradient.full_tensor() if isinstance(gradient, DTensor) else gradient

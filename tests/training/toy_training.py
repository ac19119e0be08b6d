"""A model with every kind of part, two sources and an objective, small enough to run at once."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from flamingo.foundation.randomness import generator
from flamingo.training import state
from flamingo.training.config import TrainingConfig
from flamingo.training.objective import LossReport
from flamingo.training.rows import join_rows, split_rows
from flamingo.training.trainer import Trainer

CONFIG = TrainingConfig(
    steps=12, warmup_steps=3, learning_rate=1e-2, log_every=1, checkpoint_every=4, device="cpu"
)


@dataclass
class ToySource:
    name: str
    weight: float = 1.0
    rows: int = 6

    def batch(self, step: int) -> dict[str, Tensor]:
        x = torch.from_numpy(generator("toy", self.name, step).normal(size=(self.rows, 4))).float()
        return {"x": x, "y": x.square().sum(dim=1, keepdim=True)}


class GatedToy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(8)
        self.inner = nn.Linear(8, 8)
        self.alpha_dense = nn.Parameter(torch.full((1,), 0.5))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.alpha_dense.tanh() * self.inner(self.norm(x)).relu()


class ToyModel(nn.Module):
    """Frozen: `encoder`. Trained: all else."""

    def __init__(self, dropout: float = 0.2) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(dropout))
        self.resampler = nn.Linear(8, 8)
        self.new_embeddings = nn.Parameter(torch.randn(8) * 0.02)
        self.gated = GatedToy()
        self.counter = nn.BatchNorm1d(8)
        self.dropout = nn.Dropout(dropout)
        self.lm_head = nn.Linear(8, 1)
        self.encoder.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.resampler(self.encoder(x)) + self.new_embeddings
        return self.lm_head(self.dropout(self.counter(self.gated(hidden))))


class ToyObjective:
    """Mean squared error over rows, so that a part counts by its rows."""

    def __call__(self, model: nn.Module, batch: Any, source: str) -> LossReport:
        error = (model(batch["x"]) - batch["y"]).square().mean()
        return LossReport(error, len(batch["x"]), {"rmse": error.detach().sqrt()})

    def split(self, batch: Any, num_parts: int) -> Any:
        for part in split_rows(batch, num_parts):
            yield len(part["x"]) / len(batch["x"]), part

    def merge(self, batches: Any) -> Any:
        return join_rows([batch for _, batch in batches])


def toy_model(dropout: float = 0.2) -> ToyModel:
    torch.manual_seed(0)
    return ToyModel(dropout)


def toy_trainer(folder: Path, config: TrainingConfig = CONFIG, **settings: Any) -> Trainer:
    sources = [ToySource("pages"), ToySource("pairs", weight=0.2)]
    return Trainer(toy_model(), ToyObjective(), sources, config, folder, **settings)


def main(folder: str) -> None:
    """A run that the kernel ends while its second checkpoint is half on the disk."""
    flush = state._flush

    def die(path: Path) -> None:
        if "000008" in path.name:
            os.kill(os.getpid(), signal.SIGKILL)
        flush(path)

    state._flush = die
    toy_trainer(Path(folder), replace(CONFIG, threads=1)).fit()


if __name__ == "__main__":
    main(sys.argv[1])

"""A short run of a tiny Flamingo, for one process or for several that `torchrun` would start.

Some rows have no visuals at all, and some batches of one process have none while those of the
other do.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from flamingo.data.batching import Batch
from flamingo.foundation.records import override
from flamingo.training.config import TrainingConfig
from flamingo.training.gates import gate_openings
from flamingo.training.objective import FlamingoObjective
from flamingo.training.parameter_groups import trained_parameters
from flamingo.training.reporting import StepReport
from flamingo.training.trainer import Trainer
from tests.tiny import IMAGE, inputs, tiny_flamingo

CONFIG = TrainingConfig(
    steps=8,
    warmup_steps=2,
    learning_rate=1e-2,
    log_every=1,
    checkpoint_every=3,
    validate_every=4,
    validation_batches=1,
    threads=1,
    device="cpu",
)


@dataclass
class Pages:
    name: str = "pages"
    weight: float = 1.0
    seed: int = 0

    def batch(self, step: int) -> Batch:
        made = inputs(4, seed=1000 * self.seed + step)
        weights = (made["input_ids"] != IMAGE).float()
        weights[0, 5:] = 0.0
        frames = torch.ones(made["pixel_values"].shape[:3], dtype=torch.bool)
        if step % 2:
            # The last two rows are text alone.
            frames[2:] = False
            made["visual_index"][2:] = 0
        labels = made["input_ids"].masked_fill(weights == 0, -100)
        return Batch(labels=labels, loss_weights=weights, frame_mask=frames, **made)


def trainer(folder: Path, config: TrainingConfig, **settings: Any) -> Trainer:
    model = tiny_flamingo()
    return Trainer(
        model,
        FlamingoObjective(),
        [Pages(), Pages("pairs", 0.2, seed=1)],
        config,
        folder,
        validation=[Pages("held", seed=2)],
        export=exporter(model),
        rebuild=lambda: rebuilt(),
        **settings,
    )


def rebuilt() -> Any:
    model = tiny_flamingo()
    return model, exporter(model)


def exporter(model: torch.nn.Module) -> Any:
    def export(folder: Path) -> None:
        tensors = {n: p.detach().clone() for n, p in trained_parameters(model).items()}
        save_file(tensors, folder / "trained.safetensors")

    return export


def run(folder: Path, assignments: Sequence[str]) -> None:
    """A run in a process of its own; `die=N` among the settings kills it after update N."""
    death = next((int(a[4:]) for a in assignments if a.startswith("die=")), 0)
    config = override(CONFIG, [a for a in assignments if not a.startswith("die=")])

    def die(report: StepReport) -> None:
        gate_openings(report.model)
        if report.step == death:
            os.kill(os.getpid(), signal.SIGKILL)

    trainer(folder, replace(config), on_step=[die]).fit()

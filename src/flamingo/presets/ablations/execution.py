"""What the process of one arm does: trains, asks, and leaves a result."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from torch import nn

from flamingo.evaluation.identity import evaluation_settings
from flamingo.evaluation.journal import Journal
from flamingo.evaluation.sweep import Sweep, answered, missing_blocks
from flamingo.inference.predictor import Predictor
from flamingo.miniature.tasks import FewShotTask, task_named
from flamingo.presets.ablations.arms import Arm
from flamingo.presets.ablations.result import ArmResult
from flamingo.training.export import MODEL
from flamingo.training.reporting import read_log
from flamingo.training.run_folder import versions
from flamingo.training.trainer import CHECKPOINTS, LOG

SCORES = "scores"
"""The folder of an arm's predictions, inside of its run."""


def carry_out(arm: Arm) -> bool:
    """Trains an arm and asks it, from wherever it stands; False if a signal stopped it.

    The run's checkpoints are removed when everything is done: its model and its log stay.

    Raises:
        FlamingoError: the folder holds another run, or training cannot go on.
    """
    began = time.monotonic()
    trainer = arm.recipe.trainer(arm.folder)
    if not trainer.fit():
        return False
    sizes = _sizes(trainer.model)
    log = [line for line in read_log(arm.folder / LOG) if "loss" in line]
    shots = 0 if arm.sweep is None else arm.sweep.shots[0]
    right = {} if arm.sweep is None else asked(arm.folder, arm.sweep, arm.recipe.config)
    ArmResult(
        row=arm.row,
        seed=arm.seed,
        learning_rate=arm.learning_rate,
        right=right,
        chance={name: task_named(name).chance_at(shots) for name in right},
        num_parameters=sizes[0],
        num_trained=sizes[1],
        seconds_per_step=arm.updates * seconds_per_update(log, _alignment(arm)),
        seconds=round(time.monotonic() - began, 1),
        metrics={name: v for name, v in log[-1]["metrics"].items() if name.startswith("probe_")},
        versions=versions(),
    ).write(arm.folder)
    shutil.rmtree(arm.folder / CHECKPOINTS, ignore_errors=True)
    return True


def asked(folder: Path, sweep: Sweep, config: Any) -> dict[str, str]:
    """By task which queries the trained model in a run's folder answers rightly."""
    device = config.training.device
    predictor = Predictor.from_pretrained(folder / MODEL, device=device, dtype="steady")
    tasks: Mapping[str, FewShotTask] = {name: task_named(name) for name in sweep.tasks}
    journal = Journal(folder / SCORES, evaluation_settings(predictor, tasks, sweep))
    blocks = missing_blocks(sweep, journal.outcomes)
    for piece in answered(sweep, blocks, lambda: (predictor, tasks), num_processes=1):
        journal.add(piece)
    return {task: "".join(_marks(journal, sweep, task)) for task in sweep.tasks}


def _marks(journal: Journal, sweep: Sweep, task: str) -> Iterator[str]:
    """ "1" for each query that was answered rightly, "0" for each other."""
    ((shots, control),) = sweep.cells(task)
    for index in sweep.indices(task):
        outcome = journal.outcomes[task, shots, control, index]
        yield str(int(outcome.prediction in outcome.references))


def seconds_per_update(log: Sequence[Mapping[str, Any]], alignment_updates: int = 0) -> float:
    """The median over the lines of a log, without those of the alignment if there are others."""
    behind = [line for line in log if line["step"] > alignment_updates]
    # The first line has the time of starting in it.
    return median(line["seconds_per_step"] for line in behind[1:] or behind or log)


def _alignment(arm: Arm) -> int:
    data = arm.recipe.config.data
    return arm.updates * getattr(data, "alignment_steps", 0)


def _sizes(model: nn.Module) -> tuple[int, int]:
    """How many parameters there are, and how many of them learn."""
    parameters = list(model.parameters())
    learning = [parameter for parameter in parameters if parameter.requires_grad]
    return sum(p.numel() for p in parameters), sum(p.numel() for p in learning)

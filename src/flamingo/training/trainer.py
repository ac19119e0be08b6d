"""The loop: batches in, updates out, and a checkpoint wherever it may have to stop."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from flamingo.foundation.devices import pick_device, set_threads
from flamingo.foundation.randomness import seed_of
from flamingo.training.accumulation import Accumulator, clip_gradient
from flamingo.training.config import TrainingConfig
from flamingo.training.objective import Objective
from flamingo.training.optimizers import Optimizers
from flamingo.training.preparation import (
    keep_masters_in_fp32,
    modes_of,
    restore_modes,
    set_train_mode,
)
from flamingo.training.reporting import Probe, Reporter, StepReport, append_line
from flamingo.training.run_folder import open_run_folder
from flamingo.training.sources import Source, batches, check_sources, draws_of
from flamingo.training.state import Checkpoints
from flamingo.training.stopping import StopRequest

LOG, CHECKPOINTS, MODEL = "log.jsonl", "checkpoints", "model"


class Trainer:
    """Trains a model on a mixture of sources; may be stopped and started again at any moment.

    On one process, a run that was interrupted and went on is bit for bit the run that was not:
    batches and random numbers depend on the seed and the step alone, and weights and optimizer
    state come from the newest complete checkpoint.

    Args:
        model: parameters with `requires_grad` are trained, all others stay as they are.
        objective: gives the loss of a batch.
        sources: the data sets, each with its weight λ.
        config: how to train.
        run_folder: for recipe, versions, log, checkpoints and the exported model.
        recipe: the whole resolved recipe to keep beside the run; by default `config` alone.
        on_step: probes, called after every update.
        export: writes the trained model into the folder it is given; called at the end.

    Raises:
        ConfigError: nothing to train, nothing to train on, or the folder holds another run.

    Paper: Sec. 2.4, App. B.1.2.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        sources: Sequence[Source],
        config: TrainingConfig,
        run_folder: Path,
        *,
        recipe: Mapping[str, Any] | None = None,
        on_step: Sequence[Probe] = (),
        export: Callable[[Path], None] | None = None,
    ) -> None:
        check_sources(sources)
        set_threads(config.threads)
        device = pick_device(config.device)
        self.model = model.to(device)
        keep_masters_in_fp32(model)
        self.sources, self.config, self.run_folder = list(sources), config, Path(run_folder)
        self.on_step, self.export = list(on_step), export
        self.optimizers = Optimizers(model, config)
        self.accumulator = Accumulator(model, objective, config, device)
        open_run_folder(self.run_folder, recipe or {"training": config})
        self.checkpoints = Checkpoints(
            self.run_folder / CHECKPOINTS, config.keep_checkpoints, self._warn
        )

    def fit(self) -> bool:
        """Trains to the last step, from wherever the run stands.

        Returns:
            True when the run is finished, False when Ctrl-C or SIGTERM stopped it, after a
            checkpoint was written.

        Raises:
            NonFiniteLossError: a loss or gradient is not finite; the last checkpoint stays.
            CheckpointError: the run's checkpoint belongs to another model.
        """
        newest = self.checkpoints.newest()
        first = self.checkpoints.load(newest, self.model, self.optimizers) if newest else 0
        reporter = Reporter(self.run_folder / LOG, self.config, first)
        try:
            if newest:
                reporter.say(f"Going on from {newest}.", "resumed", step=first)
            with StopRequest() as stop:
                is_finished = self._run(first, reporter, stop)
            if is_finished:
                self._export(reporter)
        finally:
            reporter.close()
        return is_finished

    def _run(self, first: int, reporter: Reporter, stop: StopRequest) -> bool:
        saved, stream = first, batches(self.sources, self.config, first)
        set_train_mode(self.model)
        modes = modes_of(self.model)
        for step in range(first, self.config.steps):
            try:
                draws, waited = self._fetch(step, stream)
            except (RuntimeError, OSError, EOFError):
                # A signal to the whole process group also ends the data workers.
                if not stop.is_made:
                    raise
                self._save(step, saved)
                return self._stopped(step, reporter)
            report = self._update(step, draws, waited)
            reporter.step(report, self._probe(report))
            restore_modes(modes)
            made = step + 1
            if stop.is_made or made % self.config.checkpoint_every == 0:
                saved = self._save(made, saved)
            if stop.is_made and made < self.config.steps:
                return self._stopped(made, reporter)
        self._save(max(first, self.config.steps), saved)
        return True

    def _fetch(self, step: int, stream: Iterator[Any]) -> tuple[list[tuple[Source, Any]], float]:
        """The batches of one update, and the seconds that they were waited for."""
        start = time.perf_counter()
        indices = draws_of(step, len(self.sources), self.config.mixing)
        draws = [(self.sources[index], next(stream)) for index, _ in indices]
        return draws, time.perf_counter() - start

    def _update(self, step: int, draws: list[tuple[Source, Any]], waited: float) -> StepReport:
        # Random numbers as a function of the step: nothing to save, nothing that a probe,
        # a resume or a worker can disturb.
        torch.manual_seed(seed_of("training step", self.config.seed, step))
        self.optimizers.zero_grad()
        losses = self.accumulator(draws, step)
        norm = clip_gradient(self.optimizers.parameters, self.config, step)
        rate = self.optimizers.step(step)
        return StepReport(step + 1, self.model, losses, rate, norm, waited)

    def _probe(self, report: StepReport) -> dict[str, float]:
        extra: dict[str, float] = {}
        for probe in self.on_step:
            extra.update(probe(report) or {})
        return extra

    def _save(self, step: int, saved: int) -> int:
        if step != saved:
            self.checkpoints.save(step, self.model, self.optimizers, self.config.steps)
        return step

    def _stopped(self, step: int, reporter: Reporter) -> bool:
        reporter.say(
            f"Stopped after {step} of {self.config.steps} steps; everything is in "
            f"{self.run_folder}. Give the same command again to go on.",
            "stopped",
            step=step,
        )
        return False

    def _export(self, reporter: Reporter) -> None:
        target = self.run_folder / MODEL
        if self.export is not None:
            temporary = target.with_name(f".{MODEL}.writing")
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir()
            self.model.eval()
            self.export(temporary)
            shutil.rmtree(target, ignore_errors=True)
            os.replace(temporary, target)
        where = target if self.export is not None else self.run_folder
        reporter.say(f"Finished {self.config.steps} steps: {where}", "finished")

    def _warn(self, text: str) -> None:
        append_line(self.run_folder / LOG, {"event": "warning", "message": text})
        print(text, file=sys.stderr)

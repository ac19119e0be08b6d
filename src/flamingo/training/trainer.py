"""The loop: batches in, updates out, and a checkpoint wherever it may have to stop."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from flamingo.data.skipping import Drawn
from flamingo.foundation.devices import pick_device, set_threads
from flamingo.foundation.randomness import seed_of
from flamingo.training.accumulation import Accumulator
from flamingo.training.clipping import clip_gradient
from flamingo.training.compilation import checkpoint_activations, compile_layers
from flamingo.training.config import TrainingConfig
from flamingo.training.curves import no_curves, tensorboard
from flamingo.training.export import MODEL, Export, export_model
from flamingo.training.identity import identity_of, persistent_buffers
from flamingo.training.objective import Objective
from flamingo.training.optimizers import Optimizers
from flamingo.training.parallelism import parallelism
from flamingo.training.preparation import (
    keep_masters_in_fp32,
    modes_of,
    restore_modes,
    set_train_mode,
)
from flamingo.training.processes import Processes, local_device
from flamingo.training.reporting import Probe, Reporter, SilentReporter, StepReport, append_line
from flamingo.training.run_folder import check_data, open_run_folder
from flamingo.training.sources import Source, batches, check_sources, draws_of
from flamingo.training.state import Checkpoints
from flamingo.training.stopping import StopRequest
from flamingo.training.validation import Validator

LOG, CHECKPOINTS = "log.jsonl", "checkpoints"


class Trainer:
    """Trains a model on a mixture of sources; may be stopped and started again at any moment.

    A run that was interrupted and went on with as many processes is bit for bit the run that was
    not: batches and random numbers depend on the seed and the step alone, and weights and
    optimizer state come from the newest complete checkpoint. Started by `torchrun`, its processes
    divide the rows of each batch among them, and with `parallel="shard"` the weights as well.

    Args:
        model: parameters with `requires_grad` are trained, all others stay as they are.
        objective: gives the loss of a batch.
        sources: the data sets, each with its weight λ.
        config: how to train.
        run_folder: for recipe, versions, log, checkpoints and the exported model; all processes
            must see the same one.
        recipe: the whole resolved recipe to keep beside the run; by default `config` alone.
        on_step: probes, called after every update.
        export: writes the trained model into the folder it is given; called at the end.
        rebuild: makes the model anew with its export; needed to export a model in shards.
        validation: sources that are looked at and not learned from.

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
        export: Export | None = None,
        rebuild: Callable[[], tuple[nn.Module, Export | None]] | None = None,
        validation: Sequence[Source] = (),
    ) -> None:
        check_sources(sources)
        set_threads(config.threads)
        config = replace(config, device=local_device(config.device))
        device = pick_device(config.device)
        self.processes = Processes.join(device)
        self.model, self.config, self.run_folder = model, config, Path(run_folder)
        self.sources, self.on_step = list(sources), list(on_step)
        self.export, self.rebuild = export, rebuild
        if self.processes.is_first:
            open_run_folder(self.run_folder, recipe or {"training": config})
            check_data(self.run_folder, sources)
        self.processes.wait()
        keep_masters_in_fp32(model)
        identity = identity_of(model)
        if config.activation_checkpointing:
            checkpoint_activations(model)
        self.parallelism = parallelism(model, config, device, self.processes)
        if config.compile:
            compile_layers(model)
        self.optimizers = Optimizers(model, config)
        self.accumulator = Accumulator(
            model, objective, config, device, self.parallelism, self.processes
        )
        self.validator = Validator(model, self.accumulator, validation, config, self.processes)
        self.checkpoints = Checkpoints(
            self.run_folder / CHECKPOINTS,
            config.keep_checkpoints,
            self._warn,
            identity,
            self.processes,
            is_async=config.async_checkpoints,
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
        reporter = self._reporter(first)
        try:
            if newest:
                reporter.say(f"Going on from {newest}.", "resumed", step=first)
            with StopRequest() as stop:
                is_finished = self._run(first, reporter, stop)
            self.checkpoints.finish()
            if is_finished:
                self._export(reporter)
        finally:
            reporter.close()
        return is_finished

    def _run(self, first: int, reporter: Reporter, stop: StopRequest) -> bool:
        saved = first
        stream = batches(self.sources, self.config, first, self.processes.share)
        set_train_mode(self.model)
        modes = modes_of(self.model)
        for step in range(first, self.config.steps):
            try:
                draws, waited = self._fetch(step, stream)
            except (RuntimeError, OSError, EOFError):
                # A signal to the whole process group also ends the data workers.
                if not stop.is_made or self.processes.count > 1:
                    raise
                self._save(step, saved)
                return self._stopped(step, reporter)
            self._name_skipped(draws, reporter)
            report = self._update(step, draws, waited)
            reporter.step(report, self._probe(report))
            restore_modes(modes)
            made = step + 1
            if self.validator.is_due(made):
                reporter.validation(made, self.validator())
            # Whoever was told to stop, all stop, and after the same step.
            is_stopped = self.processes.sums([float(stop.is_made)])[0] > 0
            if is_stopped or made % self.config.checkpoint_every == 0:
                saved = self._save(made, saved)
            if is_stopped and made < self.config.steps:
                return self._stopped(made, reporter)
        self._save(max(first, self.config.steps), saved)
        return True

    def _fetch(
        self, step: int, stream: Iterator[Drawn]
    ) -> tuple[list[tuple[Source, Drawn]], float]:
        """The batches of one update, and the seconds that they were waited for."""
        start = time.perf_counter()
        indices = draws_of(step, len(self.sources), self.config.mixing)
        draws = [(self.sources[index], next(stream)) for index, _ in indices]
        return draws, time.perf_counter() - start

    def _update(self, step: int, draws: list[tuple[Source, Drawn]], waited: float) -> StepReport:
        # Random numbers as a function of the step: nothing to save, nothing that a probe,
        # a resume or a worker can disturb.
        torch.manual_seed(
            seed_of("training step", self.config.seed, step, *self._index_among_many())
        )
        self.optimizers.zero_grad()
        losses = self.accumulator([(source, drawn.batch) for source, drawn in draws], step)
        self.parallelism.sum_gradients(self.optimizers.parameters)
        norm = clip_gradient(self.optimizers.named, self.config, step)
        rate = self.optimizers.step(step)
        return StepReport(step + 1, self.model, losses, rate, norm, waited)

    def _index_among_many(self) -> list[int]:
        return [self.processes.share.index] if self.processes.count > 1 else []

    def _name_skipped(self, draws: list[tuple[Source, Drawn]], reporter: Reporter) -> None:
        own = [(source.name, skipped) for source, drawn in draws for skipped in drawn.skipped]
        if not self.processes.sums([float(len(own))])[0]:
            return
        for found in self.processes.gathered(own):
            for name, skipped in found:
                reporter.skipped(name, skipped)

    def _probe(self, report: StepReport) -> dict[str, float | str]:
        extra: dict[str, float | str] = {}
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
        export_model(
            self.model,
            {**self.optimizers.named, **persistent_buffers(self.model)},
            self.run_folder,
            self.processes,
            export=self.export,
            rebuild=self.rebuild,
        )
        where = self.run_folder / MODEL if self.export is not None else self.run_folder
        reporter.say(f"Finished {self.config.steps} steps: {where}", "finished")

    def _reporter(self, first: int) -> Reporter:
        if not self.processes.is_first:
            return SilentReporter()
        folder = self.run_folder
        curves = tensorboard(folder / "curves", first) if self.config.tensorboard else no_curves
        return Reporter(folder / LOG, self.config, first, curves)

    def _warn(self, text: str) -> None:
        append_line(self.run_folder / LOG, {"event": "warning", "message": text})
        print(text, file=sys.stderr)

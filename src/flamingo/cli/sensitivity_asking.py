"""One variant of the prompt of some tasks, asked into a folder like any other evaluation."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flamingo.cli.evaluate_bench import Bench
    from flamingo.evaluation.cell import Cell
    from flamingo.evaluation.journal import Journal
    from flamingo.evaluation.sensitivity import Variant
    from flamingo.evaluation.sweep import Sweep
    from flamingo.evaluation.varied_task import VariedTask
    from flamingo.inference.predictor import Predictor


@dataclass(frozen=True)
class VariantAsker:
    """Asks variants of prompts.

    Args:
        predictor: the model.
        bench: what the tasks were loaded from.
        sweep: what is asked, of all tasks.
        command: the command that was given.
    """

    predictor: Predictor
    bench: Bench
    sweep: Sweep
    command: str

    def ask(
        self, tasks: Mapping[str, VariedTask], folder: Path, label: str
    ) -> Mapping[str, Variant]:
        """Asks what is missing of one variant; what was answered before is not asked again.

        Args:
            tasks: under this variant, by name.
            folder: for the answers and their report.
            label: the variant's name.

        Raises:
            ConfigError: the folder holds something else.
            DataError: a task has no score.
        """
        from dataclasses import replace

        from tqdm import tqdm

        from flamingo.evaluation.identity import evaluation_settings
        from flamingo.evaluation.journal import Journal
        from flamingo.evaluation.results import complete_cells
        from flamingo.evaluation.sweep import Asker, missing_blocks

        began = time.monotonic()
        sweep = replace(self.sweep, tasks=tuple(tasks))
        settings = {
            **evaluation_settings(self.predictor, tasks, sweep),
            "sources": {name: self.bench.settings_of(name) for name in tasks},
        }
        journal = Journal(folder, settings)
        asker = Asker(sweep, self.predictor, tasks)
        blocks = missing_blocks(sweep, journal.outcomes)
        for block in tqdm(blocks, desc=label, disable=not sys.stderr.isatty()):
            for piece in asker.pieces(block):
                journal.add(piece)
        unscored: dict[Any, str] = {}
        cells = complete_cells(sweep, tasks, journal.outcomes, unscored=unscored)
        seconds = time.monotonic() - began if blocks else 0.0
        self._report(sweep, journal, cells, {"model_sha256": settings["model_sha256"]}, seconds)
        return {name: _variant(name, label, sweep, journal, cells, unscored) for name in tasks}

    def _report(
        self,
        sweep: Sweep,
        journal: Journal,
        cells: Sequence[Cell],
        about: Mapping[str, Any],
        seconds: float,
    ) -> None:
        """Writes results, summary and table, as `flamingo evaluate` does."""
        from datetime import UTC, datetime

        from flamingo.evaluation.report import (
            cells_before,
            commands_before,
            is_reported,
            machine,
            seconds_before,
            sources_before,
            write_report,
        )
        from flamingo.evaluation.sweep import widened
        from flamingo.foundation.records import to_plain
        from flamingo.training.run_folder import versions

        folder = journal.folder
        if not seconds and is_reported(folder, cells):
            return
        own = {(cell.task, cell.shots) for cell in cells}
        before = [one for one in cells_before(folder) if (one.task, one.shots) not in own]
        everything = [*before, *cells]
        names = tuple(dict.fromkeys(cell.task for cell in everything))
        told = {
            "model": self.bench.model,
            "command": list(dict.fromkeys([*commands_before(folder), self.command])),
            "date": datetime.now(UTC).date().isoformat(),
            "machine": machine(self.predictor.model.device, num_processes=1),
            "loading": self.bench.loading.told(),
            "versions": versions(),
            "seconds": round(seconds_before(folder) + seconds, 1),
            **about,
            "sources": {
                **sources_before(folder),
                **{name: self.bench.source_of(name) for name in sweep.tasks},
            },
            **to_plain(widened(sweep, journal.outcomes, names)),
        }
        write_report(folder, everything, told)


def _variant(
    name: str,
    label: str,
    sweep: Sweep,
    journal: Journal,
    cells: Sequence[Cell],
    unscored: Mapping[Any, str],
) -> Variant:
    """What the variant has made of one task."""
    from flamingo.evaluation.prediction import LEFT_OUT
    from flamingo.evaluation.sensitivity import Variant
    from flamingo.foundation.errors import DataError

    ((shots, control),) = sweep.cells(name)
    cell = next((one for one in cells if one.task == name), None)
    if cell is None:
        raise DataError(f"{name} has no score: {unscored[name, shots, control]}")
    outcomes = {n: journal.outcomes[name, shots, control, n] for n in sweep.indices(name)}
    answers = {
        str(number): one.prediction
        for number, one in outcomes.items()
        if LEFT_OUT not in one.details
    }
    return Variant(name=label, score=cell.score, answers=answers)

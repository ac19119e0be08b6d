"""`flamingo evaluate MODEL`: scores a model on tasks, at several numbers of shots."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flamingo.cli.evaluate_notes import asked_as, hidden, left_out, unscored
from flamingo.cli.evaluate_options import add_options, bench_of, command_of, sweep_of
from flamingo.cli.loading import Loading

if TYPE_CHECKING:
    import torch

    from flamingo.cli.evaluate_bench import Bench
    from flamingo.evaluation.cell import Cell
    from flamingo.evaluation.journal import Journal
    from flamingo.evaluation.sweep import Sweep
    from flamingo.evaluation.task import Task
    from flamingo.foundation.sharing import Share
    from flamingo.inference.predictor import Predictor

_QUERIES_PER_PROCESS = 1000
"""Below this, loading the model once more takes longer than it saves."""


def add_parser(subparsers: Any) -> None:
    """Adds the verb `evaluate` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "evaluate",
        help="score a model on the paper's benchmarks, your own tasks, or drawn ones",
        description="Scores a model on few-shot tasks. DIR/results.json holds one record per task, "
        "number of shots and control, summary.json their means, table.md the table, and "
        "predictions.jsonl every prediction. A run that was stopped goes on when the same command "
        "is given again; other tasks, shots and controls are added to what is there. "
        "`flamingo benchmarks` lists the paper's benchmarks and the files that each needs.",
    )
    parser.add_argument("model", metavar="MODEL", help="miniature, a folder, or owner/name")
    add_options(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    parser.set_defaults(run=run)


@dataclass
class _Run:
    """One evaluation under way.

    Args:
        out: the folder.
        sweep: what is asked.
        whole: that, with all that was answered before; this is reported.
        bench: for other processes.
        loaded: what the bench gave in this one.
        known: all tasks that a cell may be of.
        journal: gets the answers.
        about: what the summary says.
        share: which of several processes this is.
    """

    out: Path
    sweep: Sweep
    whole: Sweep
    bench: Bench
    loaded: tuple[Predictor, Mapping[str, Task[Any]]]
    known: Mapping[str, Task[Any]]
    journal: Journal
    about: dict[str, Any]
    share: Share

    def __post_init__(self) -> None:
        from flamingo.evaluation.report import (
            cells_before,
            commands_before,
            seconds_before,
            sources_before,
        )

        self._began, self._before = time.monotonic(), seconds_before(self.out)
        self._num_before, self._commands = len(self.journal.outcomes), commands_before(self.out)
        self._cells: dict[Any, Cell] = {}
        self.unscored: dict[Any, str] = {}
        self._kept = [cell for cell in cells_before(self.out) if cell.task not in self.known]
        self._sources = sources_before(self.out)

    def cells(self) -> list[Cell]:
        """Those that are complete, and those of benchmarks that were asked by other commands."""
        from flamingo.evaluation.results import complete_cells

        own = complete_cells(
            self.whole, self.known, self.journal.outcomes, self._cells, self.unscored
        )
        return [*own, *self._kept]

    def answer(self) -> None:
        """Asks what is missing; what is complete is on disk after each piece, whatever happens."""
        from contextlib import closing

        from tqdm import tqdm

        from flamingo.evaluation.ranks import every_nth
        from flamingo.evaluation.sweep import answered, missing_blocks

        blocks = every_nth(missing_blocks(self.sweep, self.journal.outcomes), self.share)
        num_missing = sum(len(left) for block in blocks for left in block.missing.values())
        num_processes = self.about["machine"]["processes"] // self.share.count
        is_alone = self.share.count == 1
        with tqdm(
            total=len(self.sweep) if is_alone else num_missing,
            initial=len(self.sweep) - num_missing if is_alone else 0,
            unit="query",
            disable=not sys.stderr.isatty() or self.share.index > 0,
        ) as bar:
            opened = (lambda: self.loaded) if num_processes == 1 else self.bench
            task = None
            try:
                with closing(answered(self.sweep, blocks, opened, num_processes)) as pieces:
                    for piece in pieces:
                        self.journal.add(piece)
                        bar.set_description(piece[0].task)
                        bar.update(len(piece))
                        if piece[0].task != task:
                            task = piece[0].task
                            self.report()
            finally:
                self.report()

    def report(self) -> None:
        """Writes results, summary and table; the first of several processes does it for all."""
        from flamingo.evaluation.report import is_reported, write_report

        if self.share.index:
            return
        has_added = len(self.journal.outcomes) > self._num_before
        cells = self.cells()
        if not has_added and is_reported(self.out, cells):
            # The date and the versions of the summary are those of the answers, not of this look.
            return
        own = [self.about["command"]] if has_added or not self._commands else []
        told = {
            "command": list(dict.fromkeys([*self._commands, *own])),
            "seconds": round(self._before + time.monotonic() - self._began, 1),
        }
        sources = {**self._sources, **self.about["sources"]}
        write_report(self.out, cells, {**self.about, **told, "sources": sources})


def run(args: argparse.Namespace) -> int:
    """Evaluates, and prints the table.

    Raises:
        FlamingoError: a wrong model, task or number, files that are missing, or a folder with
            other results.
    """
    # Imported here: each verb loads what it needs, and no other does.
    from flamingo.evaluation.ranks import part, share_of_torchrun, wait_for_all
    from flamingo.evaluation.table import plain_table

    share = share_of_torchrun()
    one, notes = _prepared(args, share)
    one.answer()
    wait_for_all(share)
    part(share)
    if share.index:
        return 0
    if share.count > 1:
        one.journal.read()
        one.report()
    submissions = _submissions(one)
    if cells := one.cells():
        print(plain_table(cells))
    for note in [*notes, *left_out(one.sweep), *unscored(one.unscored)]:
        print(f"\nNote: {note}")
    for path in submissions:
        print(f"\nTo hand in: {path}")
    print(f"\nResults and predictions are in {args.out}")
    return 0


def _prepared(args: argparse.Namespace, share: Share) -> tuple[_Run, list[str]]:
    """Everything loaded and checked, and what a reader of the scores must know."""
    import torch

    from flamingo.cli.evaluate_bench import task_names
    from flamingo.evaluation.benchmarks.own_prompts import told_prompts, whose_prompts
    from flamingo.evaluation.identity import evaluation_settings
    from flamingo.evaluation.journal import Journal
    from flamingo.evaluation.published.families import protocol_of
    from flamingo.evaluation.ranks import wait_for_all
    from flamingo.evaluation.sweep import Limits, widened
    from flamingo.foundation.devices import set_threads
    from flamingo.foundation.records import to_plain
    from flamingo.miniature.tasks import TASKS

    names, custom = task_names(args.tasks, has_data=bool(args.data))
    sweep = sweep_of(args, names)
    bench = bench_of(args, names, custom, max(sweep.shots))
    if share.index:
        # The first process computes features, and the others find them on disk.
        wait_for_all(share)
    if not torch.cuda.is_available():
        # As in each of several processes: with more, sums would be rounded in another order.
        set_threads(1)
    predictor, tasks, notes = bench.load(_Bars())
    if not share.index:
        wait_for_all(share)
    sweep = replace(
        sweep,
        limits={name: Limits(one.num_queries, one.max_shots) for name, one in tasks.items()},
    )
    notes += [*hidden(tasks), *asked_as(tasks)]
    settings = {
        **evaluation_settings(predictor, tasks, sweep),
        "sources": {n: {**bench.settings_of(n), **whose_prompts(tasks[n])} for n in names},
    }
    journal = Journal(args.out, settings, share.index)
    # All divide the same list of what is missing: nobody writes before everybody has read.
    wait_for_all(share)
    known = {**TASKS, **tasks}
    whole = widened(sweep, journal.outcomes, tuple(known))
    about = {
        **_about(args, sweep, predictor.model.device, share),
        **protocol_of(tasks),
        "model_sha256": settings["model_sha256"],
        "sources": {n: {**bench.source_of(n), **told_prompts(tasks[n])} for n in names},
        **to_plain(whole),
    }
    return _Run(
        args.out, sweep, whole, bench, (predictor, tasks), known, journal, about, share
    ), notes


class _Bars:
    """A progress bar for the features of each benchmark."""

    def __init__(self) -> None:
        self._bars: dict[str, Any] = {}

    def __call__(self, name: str, number: int) -> None:
        from tqdm import tqdm

        if name not in self._bars:
            self._bars[name] = tqdm(
                desc=f"features of {name}", unit="item", disable=not sys.stderr.isatty()
            )
        self._bars[name].update(number)


def _submissions(one: _Run) -> list[Path]:
    """Writes the files that evaluation servers take, of complete cells whose answers are hidden."""
    from flamingo.evaluation.benchmarks.handing_in import write_submissions
    from flamingo.evaluation.benchmarks.task import BenchmarkTask

    tasks = {name: task for name, task in one.loaded[1].items() if isinstance(task, BenchmarkTask)}
    return write_submissions(one.out, tasks, one.sweep, one.journal.outcomes)


def _about(
    args: argparse.Namespace, sweep: Sweep, device: torch.device, share: Share
) -> dict[str, Any]:
    """What the summary says of how the numbers came about."""
    from datetime import UTC, datetime

    from flamingo.evaluation.report import machine
    from flamingo.foundation.errors import ConfigError
    from flamingo.training.run_folder import versions

    num_processes = args.processes or _num_processes(sweep, device, share)
    if share.count > 1 and num_processes > 1:
        raise ConfigError(
            f"--processes is {num_processes}, but torchrun has started {share.count} already.\n"
            "Leave --processes out, or start without torchrun."
        )
    return {
        "model": args.model,
        "command": command_of(args),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(device, num_processes * share.count),
        "loading": Loading.of(args).told(),
        "versions": versions(),
    }


def _num_processes(sweep: Sweep, device: torch.device, share: Share) -> int:
    """As many as there are cores, where the work is worth it and is done by them."""
    if device.type != "cpu" or share.count > 1:
        return 1
    return min(os.cpu_count() or 1, max(1, len(sweep) // _QUERIES_PER_PROCESS))

"""`flamingo evaluate MODEL`: scores a model on tasks, at several numbers of shots."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from flamingo.evaluation.journal import Journal
    from flamingo.evaluation.sweep import Sweep
    from flamingo.inference.predictor import Predictor
    from flamingo.miniature.tasks import FewShotTask

_QUERIES_PER_PROCESS = 1000
"""Below this, loading the model once more takes longer than it saves."""


def add_parser(subparsers: Any) -> None:
    """Adds the verb `evaluate` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "evaluate",
        help="score a model on the tasks of the miniature's world",
        description="Scores a model on few-shot tasks. DIR/results.json holds one record per task, "
        "number of shots and control, summary.json their means, table.md the table, and "
        "predictions.jsonl every prediction. A run that was stopped goes on when the same command "
        "is given again; other tasks, shots and controls are added to what is there.",
    )
    parser.add_argument("model", metavar="MODEL", help="miniature, a folder, or owner/name")
    parser.add_argument(
        "--tasks", default="all", help="names with commas between them, or dev, held-out, all"
    )
    parser.add_argument("--shots", default="0,4,8,16,32", help="numbers with commas between them")
    parser.add_argument("--queries", type=int, default=100, help="per task and shots (default 100)")
    parser.add_argument(
        "--controls",
        default="none",
        help="none (the score itself), blank, shuffled-images, shuffled-labels, with commas "
        "between them (default none)",
    )
    parser.add_argument(
        "--control-shots",
        metavar="N,N",
        help="those of --shots at which the controls are asked (default: all of them)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of queries and supports (default 0)")
    parser.add_argument(
        "--processes",
        type=int,
        metavar="N",
        help="of one thread each; the results do not depend on it (default: one per core where "
        "there is enough to ask, one on a GPU)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    parser.set_defaults(run=run)


@dataclass(frozen=True)
class Bench:
    """A model and the tasks that it is asked, as each process loads them.

    Args:
        model: see `Predictor.from_pretrained`.
        tasks: names.
    """

    model: str
    tasks: tuple[str, ...]

    def __call__(self) -> tuple[Predictor, Mapping[str, FewShotTask]]:
        """Loads them."""
        from flamingo.inference.predictor import Predictor
        from flamingo.miniature.tasks import task_named

        tasks = {name: task_named(name) for name in self.tasks}
        return Predictor.from_pretrained(self.model), tasks


def run(args: argparse.Namespace) -> int:
    """Evaluates, and prints the table.

    Raises:
        FlamingoError: a wrong model, task or number, or a folder with other results.
    """
    # Imported here: each verb loads what it needs, and no other does.
    from flamingo.evaluation.identity import task_fingerprints, weights_sha256
    from flamingo.evaluation.journal import Journal
    from flamingo.evaluation.results import complete_cells
    from flamingo.evaluation.sweep import widened
    from flamingo.evaluation.table import plain_table
    from flamingo.foundation.devices import set_threads
    from flamingo.foundation.records import to_plain
    from flamingo.miniature.tasks import TASKS

    sweep = _sweep(args)
    bench = Bench(args.model, sweep.tasks)
    predictor, tasks = bench()
    if predictor.model.device.type == "cpu":
        # As in each of several processes: with more, sums would be rounded in another order.
        set_threads(1)
    sha256 = weights_sha256(predictor.model)
    settings = {
        "model_sha256": sha256,
        # Another kind of device rounds otherwise.
        "device": predictor.model.device.type,
        "seed": sweep.seed,
        "queries": sweep.num_queries,
        "max_new_tokens": sweep.max_new_tokens,
        "episodes": task_fingerprints(tasks, sweep.seed),
    }
    journal = Journal(args.out, settings)
    whole = widened(sweep, journal.is_right, tuple(TASKS))
    about = {**_about(args, sweep, sha256, predictor.model.device), **to_plain(whole)}
    _answer(args.out, (sweep, whole), (bench, (predictor, tasks)), journal, about)
    print(plain_table(complete_cells(whole, TASKS, journal.is_right)))
    if lost := sorted({task for task, *_ in journal.is_right} - {*TASKS}):
        names = ", ".join(lost)
        print(f"\nNote: Answered before, but no task any more, and so left out: {names}.")
    print(f"\nResults and predictions are in {args.out}")
    return 0


def _answer(
    out: Path,
    sweeps: tuple[Sweep, Sweep],
    benches: tuple[Bench, tuple[Predictor, Mapping[str, FewShotTask]]],
    journal: Journal,
    about: dict[str, Any],
) -> None:
    """Asks what is missing; what is complete is on disk after each piece, whatever happens then.

    Args:
        out: the folder.
        sweeps: what is asked, and that with all that was answered before, which is reported.
        benches: for other processes, and what it gave in this one.
        journal: gets the answers.
        about: what the summary says.
    """
    from contextlib import closing

    from tqdm import tqdm

    from flamingo.evaluation.report import (
        commands_before,
        is_reported,
        seconds_before,
        write_report,
    )
    from flamingo.evaluation.results import complete_cells
    from flamingo.evaluation.sweep import answered, missing_blocks
    from flamingo.miniature.tasks import TASKS

    sweep, whole = sweeps
    bench, loaded = benches
    blocks = missing_blocks(sweep, set(journal.is_right))
    num_missing = sum(len(left) for block in blocks for left in block.missing.values())
    num_processes = about["machine"]["processes"]
    began, before = time.monotonic(), seconds_before(out)
    num_before, commands = len(journal.is_right), commands_before(out)

    def report() -> None:
        has_added = len(journal.is_right) > num_before
        cells = complete_cells(whole, TASKS, journal.is_right)
        if not has_added and is_reported(out, cells):
            # The date and the versions of the summary are those of the answers, not of this look.
            return
        own = [about["command"]] if has_added or not commands else []
        told = {
            "command": list(dict.fromkeys([*commands, *own])),
            "seconds": round(before + time.monotonic() - began, 1),
        }
        write_report(out, cells, {**about, **told})

    with tqdm(
        total=len(sweep),
        initial=len(sweep) - num_missing,
        unit="query",
        disable=not sys.stderr.isatty(),
    ) as bar:
        opened = (lambda: loaded) if num_processes == 1 else bench
        task = None
        try:
            with closing(answered(sweep, blocks, opened, num_processes)) as pieces:
                for piece in pieces:
                    journal.add(piece)
                    bar.set_description(piece[0].task)
                    bar.update(len(piece))
                    if piece[0].task != task:
                        task = piece[0].task
                        report()
        finally:
            report()


def _sweep(args: argparse.Namespace) -> Sweep:
    from flamingo.evaluation.controls import checked_control
    from flamingo.evaluation.sweep import Sweep
    from flamingo.foundation.errors import ConfigError

    for name in ("queries", "processes"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ConfigError(f"--{name} is {value}, but must be at least 1.")
    controls = dict.fromkeys(checked_control(name.strip()) for name in args.controls.split(","))
    shots = _numbers("shots", args.shots)
    control_shots = (
        None if args.control_shots is None else _numbers("control-shots", args.control_shots)
    )
    if missing := sorted({*(control_shots or ())} - {*shots}):
        raise ConfigError(
            f"--control-shots has {missing[0]}, which is not among --shots {args.shots}.\n"
            "Controls are held against the scores at the same number: add it there."
        )
    return Sweep(
        tasks=_tasks(args.tasks),
        shots=shots,
        controls=tuple(controls),
        control_shots=control_shots,
        num_queries=args.queries,
        seed=args.seed,
    )


def _tasks(text: str) -> tuple[str, ...]:
    from flamingo.miniature.tasks import DEVELOPMENT_TASKS, HELD_OUT_TASKS, TASKS, task_named

    groups = {"dev": DEVELOPMENT_TASKS, "held-out": HELD_OUT_TASKS, "all": tuple(TASKS)}
    names = groups.get(text) or [name.strip() for name in text.split(",")]
    return tuple(dict.fromkeys(task_named(name).name for name in names))


def _numbers(option: str, text: str) -> tuple[int, ...]:
    from flamingo.foundation.errors import ConfigError

    try:
        numbers = [int(word) for word in text.split(",")]
    except ValueError:
        numbers = [-1]
    if min(numbers) < 0:
        raise ConfigError(f"--{option} is {text!r}, but must be numbers from 0 on, as in 0,4,32.")
    return tuple(dict.fromkeys(numbers))


def _about(
    args: argparse.Namespace, sweep: Sweep, sha256: str, device: torch.device
) -> dict[str, Any]:
    """What the summary says of how the numbers came about."""
    from datetime import UTC, datetime

    from flamingo.evaluation.report import machine
    from flamingo.training.run_folder import versions

    num_processes = args.processes or _num_processes(sweep, device)
    return {
        "model": args.model,
        "model_sha256": sha256,
        "command": _command(args),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(device, num_processes),
        "versions": versions(),
    }


def _num_processes(sweep: Sweep, device: torch.device) -> int:
    """As many as there are cores, where the work is worth it and is done by them."""
    if device.type != "cpu":
        return 1
    return min(os.cpu_count() or 1, max(1, len(sweep) // _QUERIES_PER_PROCESS))


def _command(args: argparse.Namespace) -> str:
    names = ("tasks", "shots", "queries", "controls", "control-shots", "seed", "processes", "out")
    values = {name: getattr(args, name.replace("-", "_")) for name in names}
    options = [f"--{name}={value}" for name, value in values.items() if value is not None]
    return shlex.join(["flamingo", "evaluate", args.model, *options])

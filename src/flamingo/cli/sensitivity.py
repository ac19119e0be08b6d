"""`flamingo sensitivity MODEL`: how much a score hangs on the order and the words of a prompt."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flamingo.cli.evaluate_options import add_options, bench_of, sweep_of

if TYPE_CHECKING:
    from flamingo.evaluation.sensitivity import Variant
    from flamingo.evaluation.sweep import Sweep
    from flamingo.evaluation.varied_task import VariedTask
    from flamingo.inference.predictor import Predictor

TABLE = "sensitivity.md"


def add_parser(subparsers: Any) -> None:
    """Adds the verb `sensitivity` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "sensitivity",
        help="ask the same queries with other orders and other words of the prompt",
        description="Asks the same queries of development tasks under several variants of the "
        "prompt, and tells how much the score and the answers change. DIR/VARIANT is an ordinary "
        "evaluation; DIR/sensitivity.md is the table. Held-out tasks are refused: whoever sees "
        "which prompt they like best has tuned on them.",
    )
    parser.add_argument("model", metavar="MODEL", help="miniature, a folder, or owner/name")
    parser.add_argument(
        "--vary",
        choices=("order", "template"),
        default="order",
        help="the order of the shots, or the words around them (default order)",
    )
    parser.add_argument(
        "--variants", type=int, default=6, metavar="N", help="at most (default 6; templates: 5)"
    )
    add_options(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    parser.set_defaults(run=run, tasks="dev", shots="4")


def run(args: argparse.Namespace) -> int:
    """Asks every variant, and prints the table.

    Raises:
        FlamingoError: a task is held out or has no other templates, or what `evaluate` refuses.
    """
    from dataclasses import replace

    from flamingo.cli.bench import task_names
    from flamingo.evaluation.sensitivity import (
        sensitivity_markdown,
        sensitivity_notes,
        sensitivity_of,
        sensitivity_rows,
    )
    from flamingo.evaluation.sweep import Limits
    from flamingo.evaluation.text_table import aligned_rows
    from flamingo.foundation.devices import set_threads
    from flamingo.foundation.errors import ConfigError
    from flamingo.foundation.records import write_text_atomically

    names, custom = task_names(args.tasks, has_data=bool(args.data))
    sweep = sweep_of(args, names)
    if len(sweep.shots) != 1 or args.variants < 2:
        raise ConfigError(
            f"--shots is {args.shots!r} and --variants {args.variants}.\n"
            "Give one number of shots, and at least two variants."
        )
    bench = bench_of(args, names, custom, sweep.shots[0])
    predictor, tasks, _ = bench.load()
    for name, one in tasks.items():
        if one.is_held_out:
            raise ConfigError(
                f"{name} is held out: nothing may be chosen by it, and a prompt is a choice.\n"
                "Give development tasks (--tasks dev)."
            )
    if predictor.model.device.type == "cpu":
        set_threads(1)
    limits = {name: Limits(one.num_queries, one.max_shots) for name, one in tasks.items()}
    sweep = replace(sweep, limits=limits)
    found = {}
    for name, one in tasks.items():
        alone = replace(sweep, tasks=(name,))
        variants = [
            _asked(predictor, varied, alone, args.out / label, label)
            for label, varied in _variants(one, args.vary, args.variants)
        ]
        found[name] = sensitivity_of(variants)
    write_text_atomically(args.out / TABLE, sensitivity_markdown(found))
    print(aligned_rows(sensitivity_rows(found)))
    print("\n".join(sensitivity_notes(found)))
    print(f"\nThe table is in {args.out / TABLE}")
    return 0


def _variants(task: Any, vary: str, number: int) -> list[tuple[str, VariedTask]]:
    """The variants of a task with the names of their folders; the first is the task itself."""
    from flamingo.evaluation.prompt_variants import TEMPLATE_VARIANTS
    from flamingo.evaluation.varied_task import VariedTask
    from flamingo.foundation.errors import ConfigError

    if vary == "order":
        orders = range(number)
        return [(f"order-{k}", VariedTask(task, order=k, num_orders=number)) for k in orders]
    for templates in TEMPLATE_VARIANTS.values():
        if templates[0] == task.template:
            chosen = enumerate(templates[:number])
            return [(f"template-{k}", VariedTask(task, template_variant=t)) for k, t in chosen]
    raise ConfigError(
        f"There are no other words for the prompt of {task.name}, {task.template.prefix!r}.\n"
        "Vary the order of its shots, or take tasks with captions or questions."
    )


def _asked(
    predictor: Predictor, task: VariedTask, sweep: Sweep, folder: Path, label: str
) -> Variant:
    """Asks what is missing of one variant; what was answered before is not asked again."""
    from tqdm import tqdm

    from flamingo.evaluation.identity import evaluation_settings
    from flamingo.evaluation.journal import Journal
    from flamingo.evaluation.results import complete_cells
    from flamingo.evaluation.sensitivity import Variant
    from flamingo.evaluation.sweep import Asker, missing_blocks
    from flamingo.foundation.errors import DataError

    tasks = {task.name: task}
    journal = Journal(folder, evaluation_settings(predictor, tasks, sweep))
    asker = Asker(sweep, predictor, tasks)
    blocks = missing_blocks(sweep, journal.outcomes)
    bar = tqdm(blocks, desc=f"{task.name}, {label}", disable=not sys.stderr.isatty())
    for block in bar:
        for piece in asker.pieces(block):
            journal.add(piece)
    unscored: dict[Any, str] = {}
    cells = complete_cells(sweep, tasks, journal.outcomes, unscored=unscored)
    if not cells:
        why = next(iter(unscored.values()), "the right answers are hidden.")
        raise DataError(f"{task.name} has no score: {why}")
    (shots, control), *_ = sweep.cells(task.name)
    answers = {
        str(index): journal.outcomes[task.name, shots, control, index].prediction
        for index in sweep.indices(task.name)
    }
    return Variant(name=label, score=cells[0].score, answers=answers)

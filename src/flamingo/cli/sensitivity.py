"""`flamingo sensitivity MODEL`: how much a score hangs on the order and the words of a prompt."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flamingo.cli.evaluate_options import add_options, bench_of, command_of, sweep_of

if TYPE_CHECKING:
    from flamingo.evaluation.sensitivity import Sensitivity

TABLE = "sensitivity.md"


def add_parser(subparsers: Any) -> None:
    """Adds the verb `sensitivity` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "sensitivity",
        help="ask the same queries with other orders and other words of the prompt",
        description="Asks the same queries of development tasks under several variants of the "
        "prompt, and tells how much the score and the answers change. DIR/VARIANT is an ordinary "
        "evaluation, for `flamingo report`; DIR/sensitivity.md is the table. Held-out tasks are "
        "refused: whoever sees which prompt they like best has tuned on them. One process asks, "
        "without controls.",
    )
    parser.add_argument("model", metavar="MODEL", help="miniature, a folder, or owner/name")
    parser.add_argument(
        "--vary",
        choices=("order", "template"),
        default="order",
        help="the order of the shots, or the words around them (default order)",
    )
    parser.add_argument(
        "--variants",
        type=int,
        default=6,
        metavar="N",
        help="at most (default 6); there are 5 templates, and of few shots few orders",
    )
    add_options(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    parser.set_defaults(run=run, tasks="dev", shots="4")


def run(args: argparse.Namespace) -> int:
    """Asks every variant, and prints the table.

    Raises:
        FlamingoError: a task is held out or has no variants, or what `evaluate` refuses.
    """
    from dataclasses import replace

    import torch

    from flamingo.cli.evaluate_bench import task_names
    from flamingo.cli.sensitivity_asking import VariantAsker
    from flamingo.cli.sensitivity_checks import askable, check_options
    from flamingo.cli.sensitivity_variants import variants_of
    from flamingo.evaluation.sensitivity import Variant, sensitivity_of
    from flamingo.evaluation.sweep import Limits
    from flamingo.foundation.devices import set_threads

    names, custom = task_names(args.tasks, has_data=bool(args.data))
    sweep = sweep_of(args, names)
    check_options(args, sweep)
    names, notes = askable(names, custom, sweep.shots[0], args.vary)
    bench = bench_of(args, names, custom, sweep.shots[0])
    if not torch.cuda.is_available():
        # As in `flamingo evaluate`: with more, sums would be rounded in another order.
        set_threads(1)
    predictor, tasks, found_notes = bench.load()
    limits = {name: Limits(one.num_queries, one.max_shots) for name, one in tasks.items()}
    sweep = replace(sweep, tasks=names, limits=limits)
    variants, few = variants_of(tasks, sweep, args.vary, args.variants)
    asker = VariantAsker(predictor, bench, sweep, _command(args))
    answered: dict[str, list[Variant]] = {name: [] for name in variants}
    for label in dict.fromkeys(label for own in variants.values() for label in own):
        asked = {name: own[label] for name, own in variants.items() if label in own}
        for name, variant in asker.ask(asked, args.out / label, label).items():
            answered[name].append(variant)
    found = {name: sensitivity_of(own) for name, own in answered.items()}
    _tell(args.out / TABLE, found, [*notes, *found_notes, *few])
    return 0


def _tell(path: Path, found: dict[str, Sensitivity], notes: Sequence[str]) -> None:
    """Writes and prints the table."""
    from flamingo.evaluation.sensitivity import (
        sensitivity_markdown,
        sensitivity_notes,
        sensitivity_rows,
    )
    from flamingo.evaluation.text_table import aligned_rows
    from flamingo.foundation.records import write_text_atomically

    further = "".join(f"\n{note}\n" for note in notes)
    write_text_atomically(path, sensitivity_markdown(found) + further)
    print(aligned_rows(sensitivity_rows(found)))
    print("\n".join(sensitivity_notes(found)))
    for note in notes:
        print(f"\nNote: {note}")
    print(f"\nThe table is in {path}")


def _command(args: argparse.Namespace) -> str:
    """The command that was given."""
    _, _, *words = shlex.split(command_of(args))
    own = [f"--vary={args.vary}", f"--variants={args.variants}"]
    return shlex.join(["flamingo", "sensitivity", *words, *own])

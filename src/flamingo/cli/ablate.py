"""`flamingo ablate`: the paper's ablation table in small, on the bundled miniature."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flamingo.cli.train import accept_overrides_anywhere

if TYPE_CHECKING:
    from flamingo.presets.ablations.config import AblationConfig
    from flamingo.presets.ablations.study import Study
    from flamingo.presets.ablations.table import Entry

FAILED = 1
"""Exit status where an arm failed; the others are in the table."""


def add_parser(subparsers: Any) -> None:
    """Adds the verb `ablate` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "ablate",
        help="train and compare the variants of the paper's ablation table, in small",
        description="Trains the bridge of the miniature once per row and seed, asks every model "
        "the same queries of the development tasks, and compares them with the baseline: "
        "DIR/table.md, table.json and table.png. Stopped, it goes on when the same command is "
        "given again. docs/ablations.md explains the rows and what is fair about them.",
    )
    parser.add_argument(
        "--rows", default="all", metavar="NAMES", help="with commas between them (default all)"
    )
    parser.add_argument("--list", action="store_true", help="print the rows, and stop")
    parser.add_argument("--seeds", type=int, default=1, metavar="K", help="per row (default 1)")
    parser.add_argument("--steps", type=int, metavar="N", help="of each arm (default 500)")
    parser.add_argument(
        "--alignment-steps",
        type=int,
        metavar="N",
        help="of them, spent on single things (default 150, a third at most)",
    )
    parser.add_argument(
        "--warmup-steps", type=int, metavar="N", help="of them (default 30, a tenth at most)"
    )
    parser.add_argument(
        "--tasks", metavar="NAMES", help="with commas between them (default all for development)"
    )
    parser.add_argument("--queries", type=int, metavar="N", help="per task (default 200)")
    parser.add_argument("--shots", type=int, metavar="N", help="in the prompt (default 4)")
    parser.add_argument(
        "--batch-scale", type=float, metavar="X", help="of the baseline's batches (default 0.5)"
    )
    parser.add_argument(
        "--learning-rates",
        metavar="X,Y,…",
        help="multiples of its learning rate of which each row takes the best one; each costs a "
        "further run per row (default 1)",
    )
    parser.add_argument(
        "--vision-steps", type=int, metavar="N", help="of encoders of single rows (default 400)"
    )
    parser.add_argument("--vision", type=Path, metavar="DIR", help="instead of the bundled part")
    parser.add_argument("--language", type=Path, metavar="DIR", help="instead of the bundled part")
    parser.add_argument("--device", help="auto, cpu, cuda, … (default auto)")
    parser.add_argument(
        "--checkpoint-every", type=int, metavar="N", help="steps that a kill can lose (default 50)"
    )
    parser.add_argument(
        "--processes",
        type=int,
        metavar="N",
        help="arms at a time, each in one process of one thread (default: one per core, one on a "
        "GPU)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs/ablation"), metavar="DIR", help="(runs/ablation)"
    )
    parser.add_argument(
        "--report-only", action="store_true", help="write the table of what is finished, and stop"
    )
    parser.add_argument(
        "overrides",
        metavar="section.field=value",
        nargs="*",
        help="settings of the recipe miniature-flamingo, for every row; those that an option or "
        "the ablation decides are refused",
    )
    parser.set_defaults(run=run)
    accept_overrides_anywhere(parser)


def run(args: argparse.Namespace) -> int:
    """Does what is missing, and prints the table; 1 if an arm failed.

    Raises:
        FlamingoError: a wrong row or number, or a folder with another ablation.
    """
    # Imported here: each verb loads what it needs, and no other does.
    from flamingo.presets.ablations.study import Study

    if args.list:
        _print_rows()
        return 0
    if args.report_only:
        study = Study.in_folder(args.out)
        made = study.report()
    else:
        study = _study(args)
        made = study.run()
    _print_table(made)
    print(f"\nThe table is in {args.out}/table.md")
    for name, reason in study.failures.items():
        print(f"Failed: {name}: {reason}", file=sys.stderr)
    return FAILED if study.failures else 0


def _study(args: argparse.Namespace) -> Study:
    from flamingo.foundation.errors import ConfigError
    from flamingo.presets.ablations.rows import chosen_rows
    from flamingo.presets.ablations.study import Study

    for name in ("seeds", "processes"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ConfigError(f"--{name} is {value}, but must be at least 1.")
    rows, config = chosen_rows(args.rows), _config(args)
    processes = args.processes or _num_processes(config.device)
    return Study(config, args.out, rows, args.seeds, processes, _command(args))


def _config(args: argparse.Namespace) -> AblationConfig:
    from flamingo.miniature.tasks import task_named
    from flamingo.presets.ablations.config import AblationConfig

    given: dict[str, Any] = {
        name: value for name in _SETTINGS if (value := getattr(args, name)) is not None
    }
    if args.learning_rates is not None:
        given["learning_rates"] = _rates(args.learning_rates)
    if args.tasks is not None:
        names = (task_named(name.strip()).name for name in args.tasks.split(","))
        given["tasks"] = tuple(dict.fromkeys(names))
    return AblationConfig(**given, settings=tuple(args.overrides))


_SETTINGS = (
    "steps", "alignment_steps", "warmup_steps", "queries", "shots", "batch_scale", "vision_steps",
    "vision", "language", "device", "checkpoint_every",
)  # fmt: skip


def _rates(text: str) -> tuple[float, ...]:
    from flamingo.foundation.errors import ConfigError

    try:
        return tuple(dict.fromkeys(float(word) for word in text.split(",")))
    except ValueError:
        raise ConfigError(
            f"--learning-rates is {text!r}, but must be numbers, as in 0.5,1,2."
        ) from None


def _num_processes(device: str) -> int:
    from flamingo.foundation.devices import pick_device

    return (os.cpu_count() or 1) if pick_device(device).type == "cpu" else 1


def _command(args: argparse.Namespace) -> str:
    names = ("rows", "seeds", *_SETTINGS, "learning_rates", "tasks", "processes", "out")
    options = [
        f"--{name.replace('_', '-')}={value}"
        for name in names
        if (value := getattr(args, name)) is not None
    ]
    return shlex.join(["flamingo", "ablate", *options, *args.overrides])


def _print_rows() -> None:
    from flamingo.presets.ablations.rows import ROWS

    width = max(map(len, ROWS))
    for row in ROWS.values():
        print(f"{row.name.ljust(width)}  {row.description}")


def _print_table(entries: Sequence[Entry]) -> None:
    width = max(len(entry.row) for entry in entries)
    other = max(len(entry.reference or "against") for entry in entries)
    print(
        f"{'row'.ljust(width)}  overall  {'against'.ljust(other)}  "
        "difference (95 % interval)   paper  direction"
    )
    for entry in entries:
        gap, overall = entry.difference, entry.overall
        told = f"{gap.mean:+6.1f} ({gap.low:+.1f} to {gap.high:+.1f})" if gap else ""
        paper = f"{entry.paper_difference:+.1f}" if entry.paper_difference else ""
        score = "" if overall is None else f"{overall:.1f}"
        print(
            f"{entry.row.ljust(width)}  {score:>7}  {(entry.reference or '').ljust(other)}  "
            f"{told:<26}  {paper:>6}  "
            f"{entry.direction or ''}".rstrip()
        )

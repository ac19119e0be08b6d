"""The options of `flamingo evaluate`, read and checked."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from flamingo.cli.evaluate_files import add_file_options, check_used, settings_of
from flamingo.cli.loading import Loading, add_loading_options

if TYPE_CHECKING:
    from flamingo.cli.evaluate_bench import Bench
    from flamingo.evaluation.sweep import Sweep

_DRAWN_QUERIES = 100
"""Per cell of a drawn task, of which there is no end."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """All but the model and the folder for the results."""
    parser.add_argument(
        "--tasks",
        default="all",
        help="names and YAML files with commas between them, or dev, held-out, all: of the paper's "
        "benchmarks if --data is given, else of the drawn tasks",
    )
    parser.add_argument("--shots", default="0,4,8,16,32", help="numbers with commas between them")
    parser.add_argument(
        "--queries",
        metavar="N",
        help="per task and shots, or all (default: 100 of drawn tasks, all of benchmarks)",
    )
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
    # The same on every CPU: a table's numbers do not hang on what is fast on one.
    add_loading_options(parser, "steady")
    parser.add_argument("--seed", type=int, default=0, help="of queries and supports (default 0)")
    add_file_options(parser)
    parser.add_argument(
        "--ensemble",
        type=int,
        default=1,
        metavar="N",
        help="average candidates' likelihoods over N orders of the shots; the paper's N is 6",
    )
    parser.add_argument(
        "--max-new-tokens", type=int, metavar="N", help="of an open answer (default: the task's)"
    )
    parser.add_argument(
        "--batch-size", type=int, metavar="N", help="queries asked together (default 16)"
    )
    parser.add_argument(
        "--processes",
        type=int,
        metavar="N",
        help="of one thread each; the results do not depend on it (default: one per core where "
        "there is enough to ask, one on a GPU). For several GPUs: torchrun -m flamingo.cli.main",
    )


def sweep_of(args: argparse.Namespace, names: tuple[str, ...]) -> Sweep:
    """What is asked; the limits of the tasks are not known yet.

    Raises:
        ConfigError: a number is impossible, or a control is unknown.
    """
    from flamingo.evaluation.controls import checked_control
    from flamingo.evaluation.sweep import BLOCK, Sweep
    from flamingo.foundation.errors import ConfigError
    from flamingo.miniature.tasks import TASKS

    for name in ("processes", "ensemble", "batch_size", "frames", "max_new_tokens", "supports"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ConfigError(f"--{name.replace('_', '-')} is {value}, but must be at least 1.")
    controls = dict.fromkeys(checked_control(name.strip()) for name in args.controls.split(","))
    shots = numbers_of("shots", args.shots)
    control_shots = (
        None if args.control_shots is None else numbers_of("control-shots", args.control_shots)
    )
    if missing := sorted({*(control_shots or ())} - {*shots}):
        raise ConfigError(
            f"--control-shots has {missing[0]}, which is not among --shots {args.shots}.\n"
            "Controls are held against the scores at the same number: add it there."
        )
    drawn = [name for name in names if name in TASKS]
    if args.queries is None and 0 < len(drawn) < len(names):
        raise ConfigError(
            f"--tasks has {drawn[0]}, of which more queries can always be drawn, beside benchmarks "
            "of files.\nSay how many of each: --queries N. Or ask them in two commands."
        )
    return Sweep(
        tasks=names,
        shots=shots,
        controls=tuple(controls),
        control_shots=control_shots,
        num_queries=_num_queries(args.queries, _DRAWN_QUERIES if drawn else None),
        seed=args.seed,
        max_new_tokens=args.max_new_tokens,
        num_orders=args.ensemble,
        batch_size=args.batch_size or BLOCK,
    )


def bench_of(
    args: argparse.Namespace, names: tuple[str, ...], custom: tuple[Path, ...], max_shots: int
) -> Bench:
    """What each process loads.

    Raises:
        ConfigError: an option is impossible, or is of benchmarks and none is asked.
    """
    from flamingo.cli.evaluate_bench import Bench, known_benchmarks
    from flamingo.evaluation.ranks import device_of_torchrun
    from flamingo.foundation.errors import ConfigError
    from flamingo.miniature.tasks import TASKS

    drawn = [name for name in names if name in TASKS]
    settings = None
    if len(drawn) < len(names):
        own = {
            name: path.parent
            for path in custom
            for name in known_benchmarks([path])
            if name in names and name not in known_benchmarks([])
        }
        settings = settings_of(args, own)
    if args.shots_by == "rices" and drawn:
        raise ConfigError(
            f"--shots-by rices is for benchmarks, which have a support set; {drawn[0]} is drawn "
            "anew for each query.\nLeave it out of --tasks, or take random shots."
        )
    check_used(args, names, settings)
    return Bench(
        model=args.model,
        tasks=names,
        custom=custom,
        settings=settings,
        max_shots=max_shots,
        num_queries=_num_queries(args.queries, None),
        features=args.features or args.out / "features",
        loading=Loading.of(args, device_of_torchrun()),
        published=args.published_protocol,
    )


def command_of(args: argparse.Namespace) -> str:
    """The command that was given, with the options that are not at their defaults."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    words = ["flamingo", "evaluate", args.model]
    for action in parser._actions:
        value = getattr(args, action.dest, None)
        if not action.option_strings or value in (action.default, None):
            continue
        option = action.option_strings[0]
        if value is True:
            words.append(option)
        else:
            words += [f"{option}={one}" for one in (value if isinstance(value, list) else [value])]
    return shlex.join([*words, f"--out={args.out}"])


def _num_queries(text: str | None, default: int | None) -> int | None:
    from flamingo.foundation.errors import ConfigError

    if text is None:
        return default
    if text == "all":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError(f"--queries is {text!r}, but must be at least 1, or all.")
    return int(text)


def numbers_of(option: str, text: str) -> tuple[int, ...]:
    """The numbers of an option, each once; a `ConfigError` where they are not from 0 on."""
    from flamingo.foundation.errors import ConfigError

    try:
        numbers = [int(word) for word in text.split(",")]
    except ValueError:
        numbers = [-1]
    if min(numbers) < 0:
        raise ConfigError(f"--{option} is {text!r}, but must be numbers from 0 on, as in 0,4,32.")
    return tuple(dict.fromkeys(numbers))

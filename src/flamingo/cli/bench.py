"""`flamingo bench`: how fast a model answers few-shot prompts on this machine."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flamingo.cli.loading import add_number_options
from flamingo.cli.output_file import check_output_file
from flamingo.presets.models import MODELS

if TYPE_CHECKING:
    import torch

    from flamingo.inference.costliest_operations import Operation
    from flamingo.inference.speed import Speed
    from flamingo.inference.speed_task import SpeedTask
    from flamingo.model.flamingo import FlamingoForConditionalGeneration

_DEFAULT_QUERIES = 16
_NUM_OPERATIONS = 10


def add_parser(subparsers: Any) -> None:
    """Adds the verb `bench` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "bench",
        help="measure how fast a model answers few-shot prompts",
        description="Asks a model few-shot prompts of random pictures and words, and prints for "
        "each number of shots: the time to the first token of a batch, with nothing known and with "
        "the supports read before; the time of each further token; queries per second with nothing "
        "known, with one support set for all queries (reading it counts), and with other supports "
        "for each whose visual tokens are known, as RICES needs them; and memory. Medians over "
        "rounds. Opening files, resizing pictures and tokenizing are not part of it.",
    )
    parser.add_argument(
        "model",
        nargs="?",
        default="miniature",
        metavar="MODEL",
        help="miniature (default), a folder, owner/name on a hub; with --random-weights also "
        + ", ".join(MODELS),
    )
    parser.add_argument(
        "--random-weights",
        action="store_true",
        help="read the model's config.json alone: speed does not hang on what weights say",
    )
    _add_prompts(parser)
    machine = parser.add_argument_group("how it is computed")
    add_number_options(machine)
    machine.add_argument("--device", default="auto", help="auto (default), cpu, cuda, cuda:1, mps")
    machine.add_argument("--threads", type=int, metavar="N", help="of the CPU, per operation")
    machine.add_argument(
        "--compile",
        action="store_true",
        help="compile the decoding step, with a cache of constant size: takes a minute or more "
        "before anything is timed, and some seconds for each further number of shots. Queries "
        "behind supports that were read before have a cache that grows, and are not compiled. "
        "Greedy search only",
    )
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="N", help="that are timed (default 5)"
    )
    parser.add_argument(
        "--profile",
        type=Path,
        metavar="FILE",
        help="write a trace of one batch at the most shots, with 3 decoding steps, for "
        f"ui.perfetto.dev; and print the {_NUM_OPERATIONS} costliest operations",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write all of it, with the spread of the rounds"
    )


def _add_prompts(parser: argparse.ArgumentParser) -> None:
    prompts = parser.add_argument_group("what is asked")
    prompts.add_argument(
        "--shots", default="0,4,32", help="numbers with commas between them (default 0,4,32)"
    )
    prompts.add_argument(
        "--batch", type=int, default=1, metavar="N", help="queries answered together (default 1)"
    )
    prompts.add_argument(
        "--beams", type=int, default=1, metavar="N", help="1 for greedy (default 1)"
    )
    prompts.add_argument(
        "--new-tokens",
        type=int,
        default=10,
        metavar="N",
        help="of each answer, no less and no more (default 10)",
    )
    prompts.add_argument(
        "--queries",
        type=int,
        metavar="N",
        help=f"per round, in whole batches (default {_DEFAULT_QUERIES}, or the next whole batches)",
    )
    prompts.add_argument(
        "--tokens-per-shot", type=int, default=20, metavar="N", help="of a support (default 20)"
    )
    prompts.add_argument(
        "--frames", type=int, default=1, metavar="N", help="of each visual (default 1: images)"
    )


def run(args: argparse.Namespace) -> int:
    """Prints the table row by row, and writes the files.

    Raises:
        FlamingoError: an option is impossible, there is no such model or device, the prompts are
            too long, or the memory does not suffice.
    """
    # Imported here: each verb loads what it needs, and no other does.
    import torch

    from flamingo.foundation.devices import dtype_for, pick_device, set_threads
    from flamingo.foundation.errors import ConfigError

    # What torch's profiler tells of itself is not the answer.
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    tasks = _tasks(args)
    check_output_file("--profile", args.profile)
    check_output_file("--json", args.json)
    device = pick_device(args.device)
    dtype = dtype_for(args.dtype, device)
    before = torch.get_num_threads()
    set_threads(args.threads)
    try:
        model = _model(args, device, dtype)
        for task in tasks:
            task.check_fits(model)
        _measure(args, model, tasks)
    except RuntimeError as error:
        explained = _explained(error, args)
        if explained is None:
            raise
        raise ConfigError(explained) from error
    finally:
        torch.set_num_threads(before)
    return 0


def _explained(error: RuntimeError, args: argparse.Namespace) -> str | None:
    """What a user can do about an error of torch; None where that is not known."""
    import torch

    reason = (str(error).splitlines() or [type(error).__name__])[0]
    if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
        return (
            f"{args.model} with these prompts does not fit into memory: {reason}\n"
            "Try fewer --shots, a smaller --batch, or --int8."
        )
    if args.compile and isinstance(error, torch._dynamo.exc.TorchDynamoException):
        return (
            f"The decoding step cannot be compiled here: {reason}\n"
            "On a CPU this needs a C++ compiler. Leave --compile out to measure without."
        )
    return None


def _measure(
    args: argparse.Namespace, model: FlamingoForConditionalGeneration, tasks: Sequence[SpeedTask]
) -> None:
    """Measures task by task; what is measured is printed and written, whatever happens then."""
    from tqdm import tqdm

    from flamingo.cli.bench_table import about, heading, operations_table, row
    from flamingo.foundation.records import json_text, to_plain, write_text_atomically
    from flamingo.inference.costliest_operations import profile_answer
    from flamingo.inference.speed import measure_speed, num_steps
    from flamingo.sequence.interleaved import counted

    known = about(args, model)
    print(heading(known, tasks[0]), flush=True)
    speeds: list[Speed] = []
    operations: list[Operation] = []
    try:
        with tqdm(
            total=sum(map(num_steps, tasks)),
            unit="turn",
            leave=False,
            disable=not sys.stderr.isatty(),
        ) as bar:
            for task in tasks:
                bar.set_description(counted(task.shots, "shot"))
                speeds.append(measure_speed(model, task, bar.update))
                with bar.external_write_mode(file=sys.stdout):
                    print(row(speeds[-1]), flush=True)
        if args.profile:
            largest = max(tasks, key=lambda task: task.shots)
            operations = profile_answer(model, largest, args.profile)
            print(operations_table(operations[:_NUM_OPERATIONS], largest))
    finally:
        if args.json:
            found = {**known, "rows": to_plain(speeds), "operations": to_plain(operations)}
            write_text_atomically(args.json, json_text(found))


def _tasks(args: argparse.Namespace) -> list[SpeedTask]:
    from flamingo.cli.evaluate_options import numbers_of
    from flamingo.inference.speed_task import SpeedTask

    batch = max(1, args.batch)
    queries = -(-_DEFAULT_QUERIES // batch) * batch if args.queries is None else args.queries
    return [
        SpeedTask(
            shots=shots,
            batch=args.batch,
            beams=args.beams,
            new_tokens=args.new_tokens,
            queries=queries,
            tokens_per_shot=args.tokens_per_shot,
            frames=args.frames,
            rounds=args.rounds,
            is_compiled=args.compile,
        )
        for shots in numbers_of("shots", args.shots)
    ]


def _model(
    args: argparse.Namespace, device: torch.device, dtype: torch.dtype
) -> FlamingoForConditionalGeneration:
    from flamingo.foundation.errors import ConfigError
    from flamingo.inference.predictor import Predictor
    from flamingo.model.quantization import quantize_language_model
    from flamingo.presets.random_weights import random_flamingo

    if args.random_weights:
        model = random_flamingo(args.model, device=device, dtype=dtype)
        if args.int8:
            quantize_language_model(model)
        return model
    if args.model in MODELS and not Path(args.model).is_dir():
        raise ConfigError(
            f"{args.model} is a model of the paper, of which there are no weights here. "
            "Measure it with --random-weights, or name a folder."
        )
    loaded = Predictor.from_pretrained(args.model, device=device, dtype=dtype, int8=args.int8)
    return loaded.model

"""`flamingo plan PRESET`: memory, speed and days of a training run, before there is a GPU."""

from __future__ import annotations

import argparse
import json
import re
from typing import TYPE_CHECKING, Any

from flamingo.foundation.errors import ConfigError
from flamingo.presets.models import MODELS

if TYPE_CHECKING:
    from flamingo.presets.memory_plan import Item
    from flamingo.presets.plan import Plan
    from flamingo.presets.step_cost import BatchShape
    from flamingo.presets.step_meter import Flops

_BATCH = re.compile(r"(?P<name>[^=]+)=(?P<sizes>\d+(x\d+){1,3})")


def add_parser(subparsers: Any) -> None:
    """Adds the verb `plan` to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "plan",
        help="say what training a model takes: memory per GPU, speed, days",
        description="Runs a training step on tensors without contents, and says what it takes: "
        "where the bytes of each GPU go, how many operations an update has, how fast it is at a "
        "given share of the peak (MFU), and what would make it fit.",
    )
    parser.add_argument("preset", metavar="PRESET", help=f"one of {', '.join(MODELS)}")
    _add_machine(parser)
    parser.add_argument("--parallel", choices=("replicate", "shard"), default="replicate")
    parser.add_argument("--activation-checkpointing", action="store_true")
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="bf16")
    parser.add_argument(
        "--micro-batches", type=int, metavar="M", help="default: the fewest that fit"
    )
    parser.add_argument("--steps", type=int, default=500_000, help="updates of the whole run")
    parser.add_argument(
        "--batch",
        action="append",
        metavar="NAME=ROWSxTOKENS[xVISUALS[xFRAMES]]",
        help="a data set's part of each update, instead of the paper's four; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_machine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--gpus", type=int, required=True, metavar="N", help="how many")
    parser.add_argument(
        "--gpu-memory", type=float, required=True, metavar="GIB", help="memory of each, in GiB"
    )
    parser.add_argument("--gpu", default="h100", help="which, for its peak (default: h100)")
    parser.add_argument("--peak", type=float, metavar="TFLOPS", help="a peak, instead of --gpu")
    parser.add_argument(
        "--mfu", type=float, default=0.4, help="the share of the peak that is reached"
    )


def run(args: argparse.Namespace) -> int:
    """Prints the plan; 0 also where it does not fit, which is an answer.

    Raises:
        ConfigError: an unknown preset or GPU, or a value out of its range.
    """
    # Imported here: each verb loads what it needs, and no other does.
    from flamingo.presets.models import model_preset
    from flamingo.presets.plan import PAPER_BATCHES, plan_preset
    from flamingo.presets.plan_settings import Machine, RunSettings
    from flamingo.training.throughput import peak_flops

    name = model_preset(args.preset).name
    peak = peak_flops(args.gpu) if args.peak is None else args.peak * 1e12
    machine = Machine(args.gpus, args.gpu_memory, peak, args.mfu)
    settings = RunSettings(
        parallel=args.parallel,
        activation_checkpointing=args.activation_checkpointing,
        micro_batches=args.micro_batches,
        precision=args.precision,
        steps=args.steps,
    )
    batches = [batch_shape(text) for text in args.batch] if args.batch else PAPER_BATCHES
    made = plan_preset(name, machine, settings, batches)
    print(as_json(name, made) if args.json else as_text(name, made))
    return 0


def batch_shape(text: str) -> BatchShape:
    """Reads "M3W=256x256x5": rows, tokens, visuals (1) and frames (1).

    Raises:
        ConfigError: it is written otherwise.
    """
    from flamingo.presets.step_cost import BatchShape

    match = _BATCH.fullmatch(text)
    sizes = [int(size) for size in match["sizes"].split("x")] if match else []
    if match is None or min(sizes[:2]) < 1 or (len(sizes) == 4 and sizes[3] < 1):
        raise ConfigError(
            f"--batch {text} is not a batch. Write NAME=ROWSxTOKENS[xVISUALS[xFRAMES]], for "
            "instance M3W=256x256x5 for 256 rows of 256 tokens with 5 images."
        )
    return BatchShape(match["name"], *sizes)


def as_json(name: str, plan: Plan) -> str:
    """One object: what was asked, and everything that was found."""
    from flamingo.foundation.records import to_plain

    found = {
        "preset": name,
        **to_plain(plan),
        "bytes": plan.num_bytes,
        "fits": plan.fits,
        "flops_per_update": plan.flops_per_update,
        "tokens_per_second": plan.tokens_per_second,
        "images_per_second": plan.images_per_second,
        "days": plan.days,
    }
    return json.dumps(found, indent=2)


def as_text(name: str, plan: Plan) -> str:
    """Two tables and a verdict, for people."""
    return "\n".join(
        [*_heading(name, plan), "", *_memory(plan), "", *_flops(plan), "", *_speed(plan)]
    )


def _heading(name: str, plan: Plan) -> list[str]:
    from flamingo.sequence.interleaved import counted

    machine, settings = plan.machine, plan.settings
    checkpointing = "on" if settings.activation_checkpointing else "off"
    update = " + ".join(
        f"{s.name} {s.rows} x {s.tokens} tokens x {counted(s.visuals, 'visual')}"
        + (f" of {s.frames} frames" if s.frames > 1 else "")
        for s in plan.batches
    )
    return [
        f"{name} on {machine.num_gpus} x {machine.gpu_memory:g} GiB, {settings.precision}, "
        f"parallel={settings.parallel}, micro_batches={settings.micro_batches}, "
        f"activation checkpointing {checkpointing}",
        f"An update: {update}",
    ]


def _memory(plan: Plan) -> list[str]:
    title = f"memory per GPU, GiB (worst moment: a micro-batch of {plan.heaviest})"
    lines = [f"{title:<64}{'':>8}", "-" * 72]
    lines += [_bytes(item) for item in plan.constant]
    lines += [_bytes(item) for item in plan.working]
    total = f"total, of {plan.machine.gpu_memory:g}"
    return [*lines, f"{total:<64}{_gib(plan.num_bytes):>8.2f}"]


def _bytes(item: Item) -> str:
    return f"{item.name:<64}{_gib(item.num_bytes):>8.2f}"


def _flops(plan: Plan) -> list[str]:
    columns = f"{'TFLOP per update':<32}{'forward':>13}{'backward':>13}{'second time':>14}"
    lines = [columns, "-" * 72]
    return lines + [_operations(part, flops) for part, flops in plan.flops.items()]


def _operations(part: str, flops: Flops) -> str:
    forward, backward, again = (
        f"{number / 1e12:,.1f}" if number else "-"
        for number in (flops.forward, flops.backward, flops.recomputation)
    )
    return f"{part:<32}{forward:>13}{backward:>13}{again:>14}"


def _speed(plan: Plan) -> list[str]:
    machine = plan.machine
    verdict = (
        f"Fits, with {machine.gpu_memory - _gib(plan.num_bytes):.1f} GiB to spare."
        if plan.fits
        else f"Does not fit: {_gib(plan.num_bytes) - machine.gpu_memory:.1f} GiB too much. "
        + plan.advice
    )
    return [
        f"At {machine.mfu:.0%} of {machine.peak_flops / 1e12:,.0f} TFLOP/s per GPU: "
        f"{plan.seconds_per_update:,.2f} s per update, {plan.tokens_per_second:,.0f} tokens/s, "
        f"{plan.images_per_second:,.0f} images/s, "
        f"{plan.days:,.1f} days for {plan.settings.steps:,} updates.",
        verdict,
    ]


def _gib(num_bytes: int) -> float:
    return num_bytes / 2**30

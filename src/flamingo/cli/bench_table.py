"""What `flamingo bench` prints: a heading, a row for each number of shots, costly operations."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import torch
import transformers

from flamingo.evaluation.report import machine
from flamingo.evaluation.text_table import aligned_rows
from flamingo.inference.costliest_operations import NUM_STEPS, Operation
from flamingo.inference.memory_use import parameter_bytes
from flamingo.inference.speed import Measured, Speed
from flamingo.inference.speed_task import SpeedTask
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.sequence.interleaved import counted

_GROUPS = (("", 7), ("first token, ms", 26), ("next token", 12), ("queries/s", 34), ("MiB", 20))
_COLUMNS = (
    ("shots", 7),
    ("whole", 10),
    ("after supports", 16),
    ("ms", 12),
    ("whole", 10),
    ("shared", 10),
    ("visuals seen", 14),
    ("peak", 10),
    ("supports", 10),
)


def about(args: argparse.Namespace, model: FlamingoForConditionalGeneration) -> dict[str, Any]:
    """What the numbers are of; plain values."""
    return {
        "model": args.model,
        "random_weights": args.random_weights,
        "dtype": str(model.dtype).removeprefix("torch."),
        "int8": args.int8,
        "weights_bytes": parameter_bytes(model),
        "machine": machine(model.device, num_processes=1),
        "date": datetime.now(UTC).date().isoformat(),
        "flamingo": metadata.version("flamingo-vlm"),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def heading(known: dict[str, Any], task: SpeedTask) -> str:
    """Says what the table is of, and names its columns."""
    computer = known["machine"]
    is_cpu = computer["device"] == "cpu"
    threads = counted(computer["threads_per_process"], "thread")
    place = f"{computer['cpu']}, {threads}" if is_cpu else computer["device"]
    kind = known["dtype"] + (", language model in int8" if known["int8"] else "")
    weights = "random weights" if known["random_weights"] else "weights"
    search = "greedy" if task.beams == 1 else f"{task.beams} beams"
    lines = [
        f"{known['model']}: {kind}, {_mib(known['weights_bytes'])} MiB of {weights}, on {place}",
        f"Queries: {task.queries} in batches of {task.batch}, {search}, "
        f"{counted(task.new_tokens, 'new token')}, {task.tokens_per_shot} tokens and "
        f"{counted(task.frames, 'frame')} per shot"
        + (", decoding compiled" if task.is_compiled else ""),
        "",
        *("".join(f"{name:>{width}}" for name, width in line) for line in (_GROUPS, _COLUMNS)),
        "-" * sum(width for _, width in _COLUMNS),
    ]
    return "\n".join(lines)


def row(speed: Speed) -> str:
    """The row of one number of shots; medians."""
    cells = (
        str(speed.task.shots),
        _number(speed.first_token_seconds, 1_000),
        _number(speed.first_token_seconds_supports_read, 1_000),
        _number(speed.token_seconds, 1_000),
        _number(speed.queries_per_second),
        _number(speed.queries_per_second_shared_supports),
        _number(speed.queries_per_second_visuals_seen),
        _mib(speed.peak_bytes),
        _mib(speed.support_cache_bytes),
    )
    return "".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, _COLUMNS, strict=True))


def operations_table(operations: Sequence[Operation], task: SpeedTask) -> str:
    """The costliest operations, as a table under a line that says what of."""
    rows = [("operation", "calls", "ms", "share")]
    rows += [
        (one.name[:60], str(one.calls), f"{1_000 * one.seconds:.2f}", f"{one.share:.1%}")
        for one in operations
    ]
    shots = counted(task.shots, "shot")
    title = f"One batch with {shots}: visuals, prompt and {NUM_STEPS} decoding steps"
    return f"\n{title}\n{aligned_rows(rows)}".rstrip()


def _number(measured: Measured | None, scale: int = 1) -> str:
    if measured is None:
        return "-"
    value = measured.median * scale
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"


def _mib(num_bytes: int | None) -> str:
    return "-" if num_bytes is None else f"{num_bytes / 2**20:,.1f}"

"""Does a plan's time come true? One step is measured, and others are predicted from it.

    python -m benchmarks.planned_time --json time.json

The first measurement gives the machine's speed, in operations per second (what `flamingo plan` is
told by --mfu). Times of other batches, of checkpointed layers and of a larger model are predicted
from it and then measured. Each process is one thread's CPU time, which troubles of a shared machine
change less than its clock.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.contenders import SIZES, Sizes, ours
from benchmarks.measuring import measure_times
from benchmarks.training_step import training_step
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.presets.step_cost import BatchShape, step_cost
from flamingo.training.compilation import checkpoint_activations

SMALL = SIZES["small"]
LARGE = replace(SMALL, dim=576, feed_forward=1_536, num_layers=8, num_heads=9, every=2)


@dataclass(frozen=True)
class Setting:
    """One step to measure or to predict."""

    name: str
    sizes: Sizes
    visuals: tuple[int, ...]
    is_checkpointed: bool = False


MEASURED = Setting("pages", SMALL, (3, 3, 3))
PREDICTED = (
    Setting("more images", SMALL, (5, 5, 5)),
    Setting("pairs", replace(SMALL, tokens=64), (1,) * 8),
    Setting("pages, checkpointed", SMALL, (3, 3, 3), is_checkpointed=True),
    Setting("larger model", LARGE, (2, 2)),
)


def measure(setting: Setting, repeats: int) -> tuple[int, float]:
    """The operations of a step, as planned, and the CPU seconds that it takes."""
    torch.manual_seed(0)
    contender = ours(setting.sizes, setting.visuals)
    model = contender.model
    assert isinstance(model, FlamingoForConditionalGeneration)
    rows, visuals = len(setting.visuals), max(setting.visuals)
    shape = BatchShape(setting.name, rows, setting.sizes.tokens, visuals)
    cost = step_cost(
        model, shape, rows, precision="fp32", activation_checkpointing=setting.is_checkpointed
    )
    if setting.is_checkpointed:
        checkpoint_activations(model)
    model.train()
    seconds = measure_times(training_step(contender), repeats).cpu_seconds
    return sum(part.total for part in cost.flops.values()), seconds


def compare(repeats: int) -> list[dict[str, Any]]:
    """Predicted and measured seconds; the first line is the one that the speed is taken from."""
    flops, seconds = measure(MEASURED, repeats)
    speed = flops / seconds
    lines = [_line(MEASURED, flops, speed, seconds)]
    for setting in PREDICTED:
        flops, seconds = measure(setting, repeats)
        lines.append(_line(setting, flops, speed, seconds))
    return lines


def _line(setting: Setting, flops: int, speed: float, seconds: float) -> dict[str, Any]:
    return {
        "setting": setting.name,
        "gflop": flops / 1e9,
        "predicted_seconds": flops / speed,
        "measured_seconds": seconds,
        "ratio": flops / speed / seconds,
    }


def main() -> None:
    """Prints one line per setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    torch.set_num_threads(1)
    lines = compare(args.repeats)
    for line in lines:
        print(
            f"{line['setting']:<22}{line['gflop']:8.1f} GFLOP  predicted "
            f"{line['predicted_seconds']:.3f} s  measured {line['measured_seconds']:.3f} s  "
            f"ratio {line['ratio']:.2f}"
        )
    if args.json:
        args.json.write_text(json.dumps(lines, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

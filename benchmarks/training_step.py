"""Time and memory of a training step: ours beside transformers' Idefics, at equal sizes.

    python -m benchmarks.training_step --json step.json
    python -m benchmarks.training_step --gpu --json gpu.json

Both sides get the same batch (rows of 256 tokens with up to 5 images), the same loss, clipping and
optimizer, and each measurement a process of its own with the same number of threads. The two take
turns, so that whatever else the machine does troubles both; medians are compared. Two batches are
measured: one where every row has 5 images, and one like web pages, where most have fewer and are
padded. `--gpu` measures a step of flamingo-3b in bf16 instead, see `benchmarks.gpu_step`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
import transformers

from benchmarks import gpu_step
from benchmarks.contenders import BATCHES, CONTENDERS, SIZES, Contender
from benchmarks.measuring import (
    measure_times,
    parameter_bytes,
    peak_bytes,
    store_frozen_in_bf16,
)
from flamingo.training.objective import next_token_loss


@dataclass(frozen=True)
class Setup:
    """What is measured, the same for both sides but for `frozen`.

    Args:
        size: a key of `SIZES`.
        precision: "bf16" computes in autocast.
        frozen: in which format our side stores what it does not train; our recipes say bf16.
            Idefics has one format for everything: other mixtures end in an error of its own.
        threads: of each process.
        rounds: processes per side.
        repeats: measured steps per process.
    """

    size: str = "small"
    precision: str = "fp32"
    frozen: str = "fp32"
    threads: int = 1
    rounds: int = 3
    repeats: int = 5


def training_step(contender: Contender, precision: str = "fp32") -> Callable[[], float]:
    """A function that makes one update and returns the loss before it."""
    trained = [p for p in contender.model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.1, fused=True)
    ids = contender.token_ids
    weights = torch.ones(ids.shape)

    def step() -> float:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            # Idefics' own loss fails as soon as it has additional tokens: ours serves both.
            loss = next_token_loss(contender.logits(), ids, weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        return float(loss.detach())

    return step


def measure(side: str, batch: str, setup: Setup) -> dict[str, Any]:
    """What one side takes, in this process."""
    torch.manual_seed(0)
    contender = CONTENDERS[side](SIZES[setup.size], BATCHES[batch])
    if side == "ours" and setup.frozen == "bf16":
        store_frozen_in_bf16(contender.model)
    step = training_step(contender, setup.precision)
    times = measure_times(step, setup.repeats)
    parameters = list(contender.model.parameters())
    return {
        "side": side,
        "batch": batch,
        **asdict(times),
        "tokens_per_second": contender.token_ids.numel() / times.wall_seconds,
        "num_parameters": sum(p.numel() for p in parameters),
        "num_trained": sum(p.numel() for p in parameters if p.requires_grad),
        "weight_bytes": parameter_bytes(contender.model),
        "peak_bytes_of_step": peak_bytes(step),
    }


def compare(batch: str, setup: Setup) -> dict[str, Any]:
    """Lets the two sides take turns on one batch, each time in a process of its own."""
    runs: dict[str, list[dict[str, Any]]] = {side: [] for side in CONTENDERS}
    for number in range(setup.rounds):
        order = list(CONTENDERS) if number % 2 == 0 else list(reversed(CONTENDERS))
        for side in order:
            runs[side].append(_in_own_process(side, batch, setup))
            print(f"round {number + 1}: {_line(runs[side][-1])}", file=sys.stderr, flush=True)
    middle = {side: _median_of(made) for side, made in runs.items()}
    first, second = middle["ours"], middle["idefics"]
    return {
        "sides": middle,
        "tokens_per_second_ratio": second["wall_seconds"] / first["wall_seconds"],
        "tokens_per_cpu_second_ratio": second["cpu_seconds"] / first["cpu_seconds"],
        "peak_bytes_ratio": first["peak_bytes_of_step"] / second["peak_bytes_of_step"],
    }


def _in_own_process(side: str, batch: str, setup: Setup) -> dict[str, Any]:
    threads = str(setup.threads)
    command = [sys.executable, "-m", "benchmarks.training_step", "--side", side, "--batch", batch]
    command += ["--size", setup.size, "--precision", setup.precision, "--frozen", setup.frozen]
    command += ["--repeats", str(setup.repeats)]
    done = subprocess.run(
        command,
        env={**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"The {side} side failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _median_of(runs: list[dict[str, Any]]) -> dict[str, Any]:
    varying = ("wall_seconds", "cpu_seconds", "tokens_per_second", "peak_bytes_of_step")
    return {**runs[0], **{name: median(run[name] for run in runs) for name in varying}}


def _line(run: dict[str, Any]) -> str:
    return (
        f"{run['batch']:<6} {run['side']:<8} {run['wall_seconds']:.3f} s a step "
        f"({run['cpu_seconds']:.3f} s of CPU), {run['tokens_per_second']:,.0f} tokens/s, peak "
        f"{run['peak_bytes_of_step'] / 2**20:,.0f} MiB beside {run['weight_bytes'] / 2**20:,.0f} "
        f"MiB of weights; {run['num_parameters']:,} parameters, {run['num_trained']:,} trained"
    )


def report(results: dict[str, dict[str, Any]]) -> str:
    """The medians and their ratios, for people."""
    lines = []
    for batch, result in results.items():
        lines += [_line(run) for run in result["sides"].values()]
        lines.append(
            f"{batch:<6} ours / Idefics: {result['tokens_per_second_ratio']:.2f} times the "
            f"tokens/s, {result['tokens_per_cpu_second_ratio']:.2f} times the tokens per second "
            f"of CPU, {result['peak_bytes_ratio']:.2f} times the memory of a step"
        )
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> None:
    """Runs the comparison, one side of it, or the GPU's step."""
    args = _parser().parse_args(argv)
    setup = Setup(args.size, args.precision, args.frozen, args.threads, args.rounds, args.repeats)
    chosen = [args.batch] if args.batch else list(BATCHES)
    if args.side:
        print(json.dumps(measure(args.side, chosen[0], setup)))
        return
    if args.gpu:
        found = gpu_step.measure(repeats=args.repeats)
        print(gpu_step.report(found))
    else:
        batches = {batch: compare(batch, setup) for batch in chosen}
        print(report(batches))
        found = {"torch": torch.__version__, "transformers": transformers.__version__}
        found |= {"setup": asdict(setup), "sizes": asdict(SIZES[args.size]), "batches": batches}
    if args.json:
        args.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--batch", choices=BATCHES, help="one batch instead of both")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--frozen", choices=("fp32", "bf16"), default="fp32", help="of our side")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5, help="steps of each process")
    parser.add_argument("--side", choices=CONTENDERS, help="measure this side alone, here")
    parser.add_argument("--gpu", action="store_true", help="a flamingo-3b step in bf16")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser


if __name__ == "__main__":
    main()

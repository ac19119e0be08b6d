"""What a new token costs after a long prompt, and whether the prompt's length is felt."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import Any

import torch
from torch import Tensor
from transformers import StoppingCriteria

from benchmarks.case_records import Case, compared
from benchmarks.measuring import Times
from benchmarks.peers import Peers, generate, idefics_inputs
from benchmarks.turns import Work, compare, take_turns


class Stopwatch(StoppingCriteria):
    """Stops nothing; notes when each new token was there."""

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.cpu: list[float] = []

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> Tensor:
        if input_ids.is_cuda:
            torch.cuda.synchronize(input_ids.device)
        self.wall.append(time.perf_counter())
        self.cpu.append(time.process_time())
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)

    def per_token(self) -> Times:
        """The median from one token to the next; the prompt's reading is before the first."""
        return Times(_median_step(self.wall), _median_step(self.cpu))


def decoding(model: Any, inputs: dict[str, Tensor], steps: int, **how: Any) -> Work:
    """One turn: a prompt and its answer, of which a token's time is taken."""

    def turn() -> Times:
        watch = Stopwatch()
        generate(model, inputs, steps + 1, stopping_criteria=[watch], **how)
        return watch.per_token()

    return turn


def measure(peers: Peers, rounds: int) -> list[Case]:
    """Time per new token against both peers, and with many shots against few."""
    scale = peers.scale
    many, few = (peers.few_shot_inputs(shots) for shots in (scale.shots, scale.few_shots))
    works = {
        "ours": decoding(peers.ours, many, scale.steps),
        "idefics": decoding(peers.idefics, idefics_inputs(many), scale.steps),
        "openflamingo": decoding(peers.openflamingo, many, scale.steps),
        "idefics, few shots": decoding(peers.idefics, idefics_inputs(few), scale.steps),
    }
    taken = take_turns(works, rounds)
    peer_growth = compare(taken["idefics"], taken["idefics, few shots"]).ratio
    wide = Peers(replace(scale, sizes=scale.wide_sizes))
    what = f"{scale.shots} shots: time per new token, greedy"
    unit: dict[str, Any] = {"unit": "ms per token", "scale": 1_000.0, "rounds": rounds}
    return [
        compared(
            "decoding/idefics", compare(taken["idefics"], taken["ours"]), 2.3, what,
            against="Idefics", **unit,
        ),
        compared(
            "decoding/openflamingo", compare(taken["openflamingo"], taken["ours"]), 3.0, what,
            against="OpenFlamingo's algorithm", **unit,
        ),
        growth(peers, rounds, "decoding/shots", f"Of Idefics it is {peer_growth:.2f}."),
        growth(
            wide, rounds, "decoding/shots-wide",
            f"The language model is {scale.wide_sizes.dim:,} wide, as that of Flamingo-3B.",
        ),
    ]  # fmt: skip


def growth(peers: Peers, rounds: int, name: str, note: str) -> Case:
    """How much more a token costs after many shots: its language model attends to all their text.

    Side by side and more often than others: what is compared here differs by little.
    """
    scale = peers.scale
    many, few = (peers.few_shot_inputs(shots) for shots in (scale.shots, scale.few_shots))
    works = {
        "many shots": decoding(peers.ours, many, scale.steps),
        "few shots": decoding(peers.ours, few, scale.steps),
    }
    taken = take_turns(works, 2 * rounds)
    found = compare(taken["many shots"], taken["few shots"])
    return Case(
        name, found.ratio, 1.1, found.spread,
        f"time per new token at {scale.shots} shots over that at {scale.few_shots}",
        ours=found.over * 1_000, peer=found.under * 1_000, unit="ms per token",
        against=f"ours at {scale.few_shots} shots", is_higher_better=False, rounds=2 * rounds,
        cpu_ratio=found.cpu_ratio, note=note,
    )  # fmt: skip


def _median_step(moments: list[float]) -> float:
    return median(after - before for before, after in pairwise(moments))

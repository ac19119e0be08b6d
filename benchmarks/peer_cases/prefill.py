"""How cross-attention grows with the number of visuals in a prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import torch
from torch import Tensor

from benchmarks.case_records import Case
from benchmarks.measuring import Times, peak_bytes
from benchmarks.openflamingo_path import look_densely
from benchmarks.peers import Peers
from benchmarks.turns import Work, exponent, take_turns, timed
from flamingo.model.gated_xattn_dense import GatedXattnDense
from flamingo.model.visibility import Visibility

Look = Callable[[GatedXattnDense, Tensor, Tensor, Tensor], object]
"""Runs the cross-attention of a gated layer: on text, visual tokens and φ."""


def by_segments(
    block: GatedXattnDense, text: Tensor, visual_tokens: Tensor, index: Tensor
) -> Tensor | None:
    """Ours, with what is made once for all layers of a pass made for this one alone."""
    visibility = Visibility.of(index, *visual_tokens.shape[1:3])
    keys, values = block.keys_values(visual_tokens)
    return block.seen(text, keys, values, visibility, None)


def prefilling(peers: Peers, look: Look, visuals: int) -> Callable[[], None]:
    """One gated layer's cross-attention on a prompt of so many visuals and their text."""
    scale = peers.scale
    block: Any = peers.ours.gated_xattn_dense[0]
    generator = torch.Generator().manual_seed(visuals)
    index = torch.arange(1, visuals + 1).repeat_interleave(scale.tokens_per_shot)[None]
    text = torch.randn(1, index.shape[1], scale.sizes.dim, generator=generator)
    shape = (1, visuals, scale.sizes.num_latents, scale.sizes.vision_dim)
    visual_tokens = torch.randn(shape, generator=generator)

    def work() -> None:
        with torch.inference_mode():
            look(block, text, visual_tokens, index)

    return work


def measure(peers: Peers, rounds: int) -> list[Case]:
    """Exponents of time and of memory, ours and those of the dense path."""
    scale = peers.scale
    few = [number for number in scale.visuals if number <= scale.dense_visuals]
    ours = {number: prefilling(peers, by_segments, number) for number in scale.visuals}
    dense = {number: prefilling(peers, look_densely, number) for number in few}
    works = {f"ours, {n}": _repeated(work, n, scale.visuals) for n, work in ours.items()}
    works |= {f"dense, {n}": _repeated(work, n, few) for n, work in dense.items()}
    taken = take_turns(works, rounds)
    times = {name: [one.wall_seconds for one in turns] for name, turns in taken.items()}
    growth = _growth([times[f"ours, {number}"] for number in scale.visuals], scale.visuals)
    dense_growth = _growth([times[f"dense, {number}"] for number in few], few)[0]
    bytes_of = [peak_bytes(work) for work in ours.values()]
    memory = exponent(scale.visuals, bytes_of)
    dense_bytes = [peak_bytes(work) for work in dense.values()]
    dense_memory = exponent(few, dense_bytes)
    numbers = f"N = {scale.visuals[0]} to {scale.visuals[-1]}"
    per_text = f"{scale.tokens_per_shot} tokens each"
    limits = f"Of the dense path with N up to {few[-1]} it is"
    return [
        Case(
            "prefill/time", growth[0], 1.1, growth[1:],
            f"cross-attention over {numbers} visuals with {per_text}: exponent of time",
            ours=1_000 * median(times[f"ours, {few[-1]}"]),
            peer=1_000 * median(times[f"dense, {few[-1]}"]),
            unit=f"ms at N = {few[-1]}", against="dense path", is_higher_better=False,
            rounds=rounds, note=f"{limits} {dense_growth:.2f}.",
        ),
        Case(
            "prefill/memory", memory, 1.1, (memory, memory),
            f"cross-attention over {numbers} visuals with {per_text}: exponent of peak memory",
            ours=bytes_of[len(few) - 1] / 2**20, peer=dense_bytes[-1] / 2**20,
            unit=f"MiB at N = {few[-1]}", against="dense path", is_higher_better=False,
            rounds=rounds, note=f"{limits} {dense_memory:.2f}.",
        ),
    ]  # fmt: skip


def _repeated(work: Callable[[], None], number: int, numbers: Sequence[int]) -> Work:
    """A turn of many runs where one is short."""
    repeats = max(1, numbers[-1] // number // 4)
    turn_once = timed(work)

    def turn() -> Times:
        times = [turn_once() for _ in range(repeats)]
        return Times(
            median(one.wall_seconds for one in times), median(one.cpu_seconds for one in times)
        )

    return turn


def _growth(times: Sequence[Sequence[float]], numbers: Sequence[int]) -> tuple[float, float, float]:
    """The exponent of the medians, and the lowest and highest of a round."""
    rounds = [exponent(numbers, costs) for costs in zip(*times, strict=True)]
    return exponent(numbers, [median(own) for own in times]), min(rounds), max(rounds)

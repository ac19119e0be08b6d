"""Beam search: how many visuals are encoded, and how long it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from benchmarks.case_records import Case, compared
from benchmarks.peers import Peers, generate, idefics_inputs
from benchmarks.turns import compare, take_turns, timed


@contextmanager
def counted(encoder: nn.Module) -> Iterator[list[int]]:
    """How many pictures each pass of a vision encoder reads."""
    passes: list[int] = []

    def note(module: nn.Module, args: Any, kwargs: dict[str, Tensor]) -> None:
        passes.append(len(args[0] if args else kwargs["pixel_values"]))

    handle = encoder.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield passes
    finally:
        handle.remove()


def measure(peers: Peers, rounds: int) -> list[Case]:
    """Both, in the same turns."""
    scale = peers.scale
    inputs = peers.few_shot_inputs(scale.shots)
    theirs = idefics_inputs(inputs)

    def ours() -> None:
        generate(peers.ours, inputs, scale.new_tokens, num_beams=scale.beams)

    def idefics() -> None:
        generate(peers.idefics, theirs, scale.new_tokens, num_beams=scale.beams)

    with (
        counted(peers.ours.vision_encoder) as seen,
        counted(peers.idefics.model.vision_model) as seen_by_idefics,
    ):
        taken = take_turns({"ours": timed(ours), "idefics": timed(idefics)}, rounds)
    searches = rounds + 1
    mine, other = sum(seen) / searches, sum(seen_by_idefics) / searches
    search = f"beams {scale.beams}, {scale.shots} shots"
    return [
        Case(
            "beams/visuals", other / mine, float(scale.beams), (other / mine, other / mine),
            f"{search}: visuals encoded", ours=mine, peer=other, unit="visuals",
            against="Idefics", rounds=rounds,
        ),
        compared(
            "beams/time", compare(taken["idefics"], taken["ours"]), 2.5,
            f"{search}: a search of {scale.new_tokens} tokens", "s", against="Idefics",
            rounds=rounds,
        ),
    ]  # fmt: skip

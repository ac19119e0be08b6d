"""Memory at the worst moment of an answer, beyond the weights and the pictures."""

from __future__ import annotations

from benchmarks.case_records import Case
from benchmarks.measuring import peak_bytes
from benchmarks.peers import Peers, generate, idefics_inputs


def measure(peers: Peers, rounds: int) -> list[Case]:
    """Peaks of all three; they are counted, so one round is enough."""
    scale = peers.scale
    inputs = peers.few_shot_inputs(scale.shots)
    theirs, tokens = idefics_inputs(inputs), min(3, scale.new_tokens)
    ours = peak_bytes(lambda: generate(peers.ours, inputs, tokens))
    idefics = peak_bytes(lambda: generate(peers.idefics, theirs, tokens))
    openflamingo = peak_bytes(lambda: generate(peers.openflamingo, inputs, tokens))
    ratio = idefics / ours
    return [
        Case(
            "memory", ratio, 1.0, (ratio, ratio),
            f"{scale.shots} shots: peak memory beyond the weights", ours=ours / 2**20,
            peer=idefics / 2**20, unit="MiB", against="Idefics",
            note=f"OpenFlamingo's algorithm needs {openflamingo / 2**20:.4g} MiB.",
        )
    ]  # fmt: skip

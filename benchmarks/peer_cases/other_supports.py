"""RICES: every query has supports of its own, whose visual tokens were made before."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.case_records import Case, compared
from benchmarks.peers import Peers, generate, idefics_inputs
from benchmarks.turns import compare, take_turns, timed
from flamingo.inference.visual_memory import VisualMemory


def measure(peers: Peers, rounds: int) -> list[Case]:
    """Queries per second of one batch, its queries' own pictures encoded by both."""
    scale, predictor = peers.scale, peers.predictor
    requests = [
        peers.prompts.request(query, peers.prompts.supports(scale.shots, query * scale.shots))
        for query in range(scale.batch)
    ]
    prompts = [request.prompt() for request in requests]
    known = predictor.visual_memory()
    known.see(visual for prompt in prompts for visual in prompt.visuals[:-1])
    inputs = idefics_inputs(peers.our_inputs(prompts))

    def ours() -> None:
        # Supports are known from the start, and the queries' pictures are new in each turn.
        memory: VisualMemory = predictor.visual_memory(known)
        predictor.complete(prompts, num_beams=1, max_new_tokens=scale.new_tokens, memory=memory)

    idefics = timed(lambda: generate(peers.idefics, inputs, scale.new_tokens))
    few = {name: value[:1] for name, value in inputs.items()}
    warm_up = {
        "ours": timed(ours),
        "idefics": timed(lambda: generate(peers.idefics, few, scale.new_tokens)),
    }
    taken = take_turns({"ours": timed(ours), "idefics": idefics}, rounds, warm_up=warm_up)
    found = compare(taken["idefics"], taken["ours"], per=(scale.batch, scale.batch))
    encoded = resampled(peers, inputs)
    once = timed(lambda: generate(peers.idefics, encoded, scale.new_tokens))()
    return [
        compared(
            "other-supports", found, 3.0,
            f"{scale.shots} shots, other supports per query (RICES), their visual tokens cached, "
            f"{scale.new_tokens} tokens each, one batch of {scale.batch}: queries/s",
            "s per query", against="Idefics", rounds=rounds,
            note="Idefics as its users run it encodes all pictures; given what its resampler made "
            "of them (`perceiver_embeddings`, timed once) it would be "
            f"{once.wall_seconds / scale.batch / found.under:.2f}.",
        )
    ]  # fmt: skip


@torch.inference_mode()
def resampled(peers: Peers, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Idefics' inputs with its resampler's output in place of pixels."""
    rest = {name: value for name, value in inputs.items() if name != "pixel_values"}
    core = peers.idefics.model
    rows = [
        core.perceiver_resampler(core.vision_model(pixel_values=row).last_hidden_state)
        for row in inputs["pixel_values"]
    ]
    return {**rest, "perceiver_embeddings": torch.stack(rows)}

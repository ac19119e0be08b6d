"""Many queries after one support set: ours against a peer that reads it for every query."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.case_records import Case, compared
from benchmarks.peers import Peers, generate, idefics_inputs
from benchmarks.turns import compare, take_turns, timed
from flamingo.inference.predictor import Answer, Predictor
from flamingo.inference.requests import Request


def ours_shared(
    predictor: Predictor, requests: Sequence[Request], *, batch: int, new_tokens: int
) -> list[Answer]:
    """Greedy answers to queries that share their supports, of which nothing was seen before."""
    fresh = Predictor(predictor.model, predictor.processor)
    return fresh.answer_all(requests, batch_size=batch, num_beams=1, max_new_tokens=new_tokens)


def measure(peers: Peers, rounds: int) -> list[Case]:
    """Queries per second."""
    scale = peers.scale
    supports = peers.prompts.supports(scale.shots)
    requests = peers.prompts.requests(scale.queries, supports)
    asked = [request.prompt() for request in requests[: scale.peer_queries]]
    inputs = [
        idefics_inputs(peers.our_inputs(asked[start : start + scale.batch]))
        for start in range(0, len(asked), scale.batch)
    ]

    def ours(few: Sequence[Request] = requests) -> None:
        ours_shared(peers.predictor, few, batch=scale.batch, new_tokens=scale.new_tokens)

    def idefics() -> None:
        for batch in inputs:
            generate(peers.idefics, batch, scale.new_tokens)

    works = {"ours": timed(ours), "idefics": timed(idefics)}
    few = {"ours": timed(lambda: ours(requests[: scale.batch])), "idefics": works["idefics"]}
    taken = take_turns(works, rounds, warm_up=few)
    found = compare(taken["idefics"], taken["ours"], per=(len(asked), len(requests)))
    return [
        compared(
            "shared-supports", found, 15.0,
            f"{scale.shots} shots, {len(requests)} queries with shared supports, "
            f"{scale.new_tokens} tokens each, batches of {scale.batch}: queries/s",
            "s per query", against="Idefics", rounds=rounds,
            note=f"Idefics shares nothing, so its rate is that of {len(asked)} queries. Ours "
            "starts each turn without having seen a support.",
        )
    ]  # fmt: skip

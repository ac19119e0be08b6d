"""A question with a few candidate answers: ours against a loop that reads the prompt for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from benchmarks.case_records import Case, compared
from benchmarks.peers import Peers, idefics_inputs
from benchmarks.turns import compare, take_turns, timed
from flamingo.inference.likelihoods import token_log_likelihoods
from flamingo.inference.predictor import Answer, Predictor
from flamingo.inference.requests import Request


def ours_shared_choices(predictor: Predictor, requests: Sequence[Request]) -> list[Answer]:
    """The likeliest choice of each question, of whose supports nothing was seen before."""
    return Predictor(predictor.model, predictor.processor).answer_all(requests)


@torch.inference_mode()
def loop(
    model: Any,
    inputs: dict[str, Tensor],
    candidates: Sequence[Sequence[int]],
    prepare: Callable[[dict[str, Tensor]], dict[str, Tensor]] = dict,
) -> list[float]:
    """The log-likelihood of each candidate, the whole prompt read for each, pictures and all.

    Args:
        model: reads `prepare(inputs)`.
        inputs: ours, of one prompt.
        candidates: token ids.
        prepare: makes a model's own inputs of ours.
    """
    scores = []
    for tokens in candidates:
        own = prepare(_continued(inputs, tokens))
        # Only the candidate's logits are made, which a plain loop would not care for.
        output = model(**own, use_cache=False, logits_to_keep=len(tokens) + 1)
        found = token_log_likelihoods(output.logits[:, :-1], torch.tensor([list(tokens)]))
        scores.append(float(found.sum()))
    return scores


def measure(peers: Peers, rounds: int) -> list[Case]:
    """Time of a question, alone and among others with the same supports."""
    scale, predictor = peers.scale, peers.predictor
    texts = [peers.prompts.words(scale.choice_tokens, "choice", n) for n in range(scale.choices)]
    supports = peers.prompts.supports(scale.shots)
    requests = peers.prompts.requests(scale.choice_queries, supports, texts)
    inputs, candidates = question_inputs(peers, requests[0])
    works = {
        "ours": timed(lambda: ours_shared_choices(predictor, requests[:1])),
        "ours, a loop": timed(lambda: loop(peers.ours, inputs, candidates)),
        "idefics, a loop": timed(lambda: loop(peers.idefics, inputs, candidates, idefics_inputs)),
        "ours, shared supports": timed(lambda: ours_shared_choices(predictor, requests)),
    }
    one = candidates[:1]
    warm_up = {
        "ours": works["ours"],
        "ours, a loop": timed(lambda: loop(peers.ours, inputs, one)),
        "idefics, a loop": timed(lambda: loop(peers.idefics, inputs, one, idefics_inputs)),
    }
    taken = take_turns(works, rounds, warm_up=warm_up)
    theirs, own = taken["idefics, a loop"], taken["ours, a loop"]
    alone, shared = taken["ours"], taken["ours, shared supports"]
    many = (1, len(requests))
    what = f"{scale.choices}-way close-ended at {scale.shots} shots: time of a question"
    more: dict[str, Any] = {"unit": "s", "against": "a loop with Idefics", "rounds": rounds}
    return [
        compared(
            "close-ended/shared", compare(theirs, shared, per=many), 8.0,
            f"{what} among {len(requests)} with the same supports",
            note="A loop with our own model would be "
            f"{compare(own, shared, per=many).ratio:.2f}.", **more,
        ),
        compared(
            "close-ended/alone", compare(theirs, alone), 8.0,
            f"{what} alone, nothing known before",
            note="The prompt has to be read once, so a loop with the same model could lose "
            f"{scale.choices} times at most; with ours it does {compare(own, alone).ratio:.2f}.",
            **more,
        ),
    ]  # fmt: skip


def question_inputs(peers: Peers, request: Request) -> tuple[dict[str, Tensor], list[list[int]]]:
    """A question's inputs, and the token ids of its candidates with the `<EOC>` that ends them."""
    encoder = peers.predictor.encoder
    texts = [request.template.continuation(choice) for choice in request.choices]
    end = encoder.prepared.ids.eoc
    return peers.our_inputs([request.prompt()]), [
        [*encoder.continuation(text), end] for text in texts
    ]


def _continued(inputs: dict[str, Tensor], tokens: Sequence[int]) -> dict[str, Tensor]:
    """The prompt with a candidate behind it, which sees what the prompt's last token sees."""
    count = len(tokens)
    ids, mask, index = (inputs[name] for name in ("input_ids", "attention_mask", "visual_index"))
    return {
        **inputs,
        "input_ids": torch.cat([ids, torch.tensor([list(tokens)])], dim=1),
        "attention_mask": torch.cat([mask, mask.new_ones(1, count)], dim=1),
        "visual_index": torch.cat([index, index[:, -1:].expand(-1, count)], dim=1),
    }

"""Log-likelihoods of candidate answers, all of them on one reading of their prompt."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import DynamicCache

from flamingo.foundation.errors import SequenceError
from flamingo.model.flamingo import FlamingoForConditionalGeneration


@torch.no_grad()
def score_candidates(
    model: FlamingoForConditionalGeneration,
    prompt: dict[str, Tensor],
    candidates: Sequence[Sequence[int]],
) -> list[float]:
    """The log-likelihood of each candidate as a continuation of the prompt, summed over tokens.

    The prompt and its visuals are read once; its keys and values are then shared by all
    candidates, which run as one batch.

    Args:
        model: a Flamingo.
        prompt: the model's inputs for one row, without padding on the right.
        candidates: token ids of each candidate, at least one token each.

    Raises:
        SequenceError: there is no candidate, one is empty, or the prompt has several rows.

    Paper: Sec. 3.1, App. B.1.5 (close-ended tasks are scored by log-likelihood).
    """
    _check(prompt, candidates)
    cache = DynamicCache(config=model.config.get_text_config(decoder=True))
    first = model(**prompt, past_key_values=cache, use_cache=True, logits_to_keep=1)
    start = first.logits[0, -1].float().log_softmax(-1)
    scores = [float(start[tokens[0]]) for tokens in candidates]
    longer = [row for row, tokens in enumerate(candidates) if len(tokens) > 1]
    if longer:
        # Row 0, once per candidate: unlike repeating, every kind of cache layer can reorder.
        rows = torch.zeros(len(longer), dtype=torch.long, device=first.logits.device)
        cache.reorder_cache(rows)
        rest = _rest(model, prompt, cache, [candidates[row] for row in longer])
        for row, score in zip(longer, rest.tolist(), strict=True):
            scores[row] += score
    return scores


def _rest(
    model: FlamingoForConditionalGeneration,
    prompt: dict[str, Tensor],
    cache: DynamicCache,
    candidates: list[Sequence[int]],
) -> Float[Tensor, " candidates"]:
    """What all tokens but the first of each candidate add to its score."""
    device = prompt["input_ids"].device
    width = max(len(tokens) for tokens in candidates)
    ids = torch.zeros(len(candidates), width, dtype=torch.long, device=device)
    mask = torch.zeros_like(ids)
    for row, tokens in enumerate(candidates):
        ids[row, : len(tokens)] = torch.tensor(tokens, device=device)
        mask[row, : len(tokens)] = 1
    inputs: dict[str, Tensor] = {
        "input_ids": ids[:, :-1],
        "attention_mask": _extended(prompt, "attention_mask", mask[:, :-1]),
    }
    index = prompt.get("visual_index")
    if index is not None:
        inputs["visual_index"] = index[:, -1:].expand(len(candidates), width - 1)
    logits = model(**inputs, past_key_values=cache, use_cache=True).logits
    return token_log_likelihoods(logits, ids[:, 1:]).masked_fill(mask[:, 1:] == 0, 0.0).sum(-1)


def token_log_likelihoods(
    logits: Float[Tensor, "rows tokens vocabulary"], targets: Int[Tensor, "rows tokens"]
) -> Float[Tensor, "rows tokens"]:
    """Log-probability of each target under the logits at its place."""
    return logits.float().log_softmax(-1).gather(-1, targets[..., None])[..., 0]


def _extended(prompt: dict[str, Tensor], name: str, more: Tensor) -> Tensor:
    past = prompt.get(name)
    past = torch.ones_like(prompt["input_ids"]) if past is None else past
    return torch.cat([past.expand(len(more), -1), more], dim=1)


def _check(prompt: dict[str, Tensor], candidates: Sequence[Sequence[int]]) -> None:
    rows = prompt["input_ids"].shape[0]
    if rows != 1:
        raise SequenceError(f"Candidates are scored for one prompt at a time, not for {rows}.")
    if not candidates:
        raise SequenceError("There are no candidates to score. Give at least one.")
    empty = [number for number, tokens in enumerate(candidates) if not tokens]
    if empty:
        raise SequenceError(f"Candidate number {empty[0]} has no token, so it has no likelihood.")

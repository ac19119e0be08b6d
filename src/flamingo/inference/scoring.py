"""Log-likelihoods of candidate answers, all of them on one reading of their prompts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import DynamicCache

from flamingo.foundation.errors import SequenceError
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.visibility import Visibility
from flamingo.model.visual_cache import VisualCacheLayer, num_kept


@torch.no_grad()
def score_candidates(
    model: FlamingoForConditionalGeneration,
    prompt: dict[str, Tensor],
    candidates: Sequence[Sequence[int]],
) -> list[float]:
    """The log-likelihood of each candidate as a continuation of one prompt; see `score_rows`.

    Raises:
        SequenceError: there is no candidate, one is empty, or the prompt has several rows.
    """
    rows = prompt["input_ids"].shape[0]
    if rows != 1:
        raise SequenceError(f"Candidates are scored for one prompt at a time, not for {rows}.")
    return score_rows(model, prompt, [candidates])[0]


@torch.no_grad()
def score_rows(
    model: FlamingoForConditionalGeneration,
    prompts: dict[str, Tensor],
    candidates: Sequence[Sequence[Sequence[int]]],
) -> list[list[float]]:
    """The log-likelihood of each row's candidates as continuations of it, summed over tokens.

    The prompts and their visuals are read once; the keys and values of each are then shared by
    its candidates, and the candidates of all rows run as one batch.

    Args:
        model: a Flamingo.
        prompts: the model's inputs, padded on the left.
        candidates: for each row the token ids of its candidates, at least one token each.

    Raises:
        SequenceError: a row has no candidate, one is empty, or there are not as many lists as rows.

    Paper: Sec. 3.1, App. B.1.5 (close-ended tasks are scored by log-likelihood).
    """
    _check(prompts, candidates)
    cache = DynamicCache(config=model.config.get_text_config(decoder=True))
    first = model(**prompts, past_key_values=cache, use_cache=True, logits_to_keep=1)
    start = first.logits[:, -1].float().log_softmax(-1)
    scores = [
        start[row, [tokens[0] for tokens in own]].tolist() for row, own in enumerate(candidates)
    ]
    longer = [
        (row, number)
        for row, own in enumerate(candidates)
        for number, tokens in enumerate(own)
        if len(tokens) > 1
    ]
    if longer:
        rest = _rest(model, prompts, cache, longer, [candidates[row][n] for row, n in longer])
        for (row, number), score in zip(longer, rest.tolist(), strict=True):
            scores[row][number] += score
    return scores


def _rest(
    model: FlamingoForConditionalGeneration,
    prompts: dict[str, Tensor],
    cache: DynamicCache,
    longer: list[tuple[int, int]],
    candidates: list[Sequence[int]],
) -> Float[Tensor, " candidates"]:
    """What all tokens but the first of each candidate add to its score."""
    device = prompts["input_ids"].device
    rows = torch.tensor([row for row, _ in longer], device=device)
    width = max(len(tokens) for tokens in candidates)
    ids = torch.zeros(len(candidates), width, dtype=torch.long, device=device)
    mask = torch.zeros_like(ids)
    for row, tokens in enumerate(candidates):
        ids[row, : len(tokens)] = torch.tensor(tokens, device=device)
        mask[row, : len(tokens)] = 1
    past = prompts.get("attention_mask")
    past = torch.ones_like(prompts["input_ids"]) if past is None else past
    inputs: dict[str, Tensor] = {
        "input_ids": ids[:, :-1],
        "attention_mask": torch.cat([past[rows], mask[:, :-1]], dim=1),
    }
    index = prompts.get("visual_index")
    if index is not None:
        last = _forget_what_is_not_seen(model, cache, index[:, -1:])
        inputs["visual_index"] = last[rows].expand(-1, width - 1)
    # Each row once per candidate: unlike repeating, every kind of cache layer can reorder.
    cache.reorder_cache(rows)
    logits = model(**inputs, past_key_values=cache, use_cache=True).logits
    return token_log_likelihoods(logits, ids[:, 1:]).masked_fill(mask[:, 1:] == 0, 0.0).sum(-1)


def _forget_what_is_not_seen(
    model: FlamingoForConditionalGeneration, cache: DynamicCache, last: Int[Tensor, "rows 1"]
) -> Int[Tensor, "rows 1"]:
    """Leaves in the cache the one visual that an answer sees, and says its new number.

    Keys and values of 32 supports, copied for each candidate, would cost more than the reading.
    """
    num_visuals = num_kept(cache, model.config.num_latents)
    if num_visuals < 2 or model.config.sees == "all_previous":
        return last
    seen = Visibility.of(last, num_visuals, model.config.num_latents)
    for layer in cache.layers:
        if isinstance(layer, VisualCacheLayer):
            layer.keys, layer.values = seen.select(layer.keys), seen.select(layer.values)
    return last.clamp(max=1)


def token_log_likelihoods(
    logits: Float[Tensor, "rows tokens vocabulary"], targets: Int[Tensor, "rows tokens"]
) -> Float[Tensor, "rows tokens"]:
    """Log-probability of each target under the logits at its place."""
    return logits.float().log_softmax(-1).gather(-1, targets[..., None])[..., 0]


def _check(prompts: dict[str, Tensor], candidates: Sequence[Sequence[Sequence[int]]]) -> None:
    rows = prompts["input_ids"].shape[0]
    if rows != len(candidates):
        raise SequenceError(
            f"There are {rows} prompts, but candidates for {len(candidates)}. Give one list each."
        )
    for own in candidates:
        if not own:
            raise SequenceError("There are no candidates to score. Give at least one.")
        empty = [number for number, tokens in enumerate(own) if not tokens]
        if empty:
            raise SequenceError(
                f"Candidate number {empty[0]} has no token, so it has no likelihood."
            )

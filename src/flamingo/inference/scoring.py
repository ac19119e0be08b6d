"""Log-likelihoods of candidate answers, all of them on one reading of their prompts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from flamingo.foundation.errors import SequenceError
from flamingo.inference.candidate_tree import can_grow, score_by_trees
from flamingo.inference.candidate_trie import score_by_trie
from flamingo.inference.likelihoods import padded_on_the_right, row_log_likelihoods
from flamingo.inference.room import TOKENS_AT_ONCE, rows_that_fit
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.growing_cache import GrowingCache
from flamingo.model.visual_cache import num_known


@torch.no_grad()
def score_rows(
    model: FlamingoForConditionalGeneration,
    prompts: dict[str, Tensor],
    candidates: Sequence[Sequence[Sequence[int]]],
    cache: GrowingCache | None = None,
) -> list[list[float]]:
    """The log-likelihood of each row's candidates as continuations of it, summed over tokens.

    The prompts and their visuals are read once, as one batch. The candidates are then read as a
    tree behind their prompt, see `score_by_trees`. Where the language model cannot do that, each
    goes on from a copy of its prompt's keys and values; those of the visuals are shared. The
    candidates of all rows run as one batch while these copies hold at most `TOKENS_AT_ONCE`
    tokens. Where they would hold more, they are read in pieces that do not, and what candidates
    begin with in common is read once.

    Args:
        model: a Flamingo.
        prompts: the model's inputs, padded on the left.
        candidates: for each row the token ids of its candidates, at least one token each.
        cache: has read what comes before `prompts`, which then are only what follows; their
            attention mask is of both. It is used up.

    Raises:
        SequenceError: a row has no candidate, one is empty, or there are not as many lists as rows.

    Paper: Sec. 3.1, App. B.1.5 (close-ended tasks are scored by log-likelihood).
    """
    _check(prompts, candidates)
    if cache is None:
        cache = GrowingCache(model.config.get_text_config(decoder=True))
    first = model(**prompts, past_key_values=cache, use_cache=True, logits_to_keep=1)
    reader = _Reader(model, prompts)
    start = first.logits[:, -1].log_softmax(-1, dtype=torch.float32)
    longer = [
        (row, number)
        for row, own in enumerate(candidates)
        for number, tokens in enumerate(own)
        if len(tokens) > 1
    ]
    if longer and can_grow(model, cache):
        return score_by_trees(model, candidates, start, cache, reader.mask, reader.last)
    if longer:
        num_read = max(len(candidates[row][number]) for row, number in longer) - 1
        num_cached = reader.num_cached(cache)
        if len(longer) > rows_that_fit(TOKENS_AT_ONCE, num_cached, num_read):
            room = {"num_cached": num_cached, "tokens_at_once": TOKENS_AT_ONCE}
            return score_by_trie(candidates, start, cache, reader, **room)
    scores = [
        start[row, [tokens[0] for tokens in own]].tolist() for row, own in enumerate(candidates)
    ]
    if longer:
        rest = _rest(reader, cache, longer, [candidates[row][number] for row, number in longer])
        for (row, number), score in zip(longer, rest, strict=True):
            scores[row][number] += score
    return scores


class _Reader:
    """Reads on from prompts, each as often as it is asked for.

    Args:
        model: a Flamingo.
        prompts: its inputs, padded on the left.
    """

    def __init__(
        self,
        model: FlamingoForConditionalGeneration,
        prompts: dict[str, Tensor],
    ) -> None:
        self.model = model
        mask, index = prompts.get("attention_mask"), prompts.get("visual_index")
        self.mask = torch.ones_like(prompts["input_ids"]) if mask is None else mask
        self.last = None if index is None else index[:, -1:]

    def __call__(
        self,
        ids: Int[Tensor, "nodes tokens"],
        mask: Int[Tensor, "nodes tokens"],
        cache: GrowingCache,
        rows: Sequence[int],
    ) -> Float[Tensor, "nodes tokens vocabulary"]:
        """The logits of tokens that continue the prompts `rows`; `cache` has as many rows."""
        # All that was read since the prompt is real: only what comes last is padded.
        num_read = cache.get_seq_length() - self.mask.shape[1]
        past = self.mask[list(rows)]
        between = past.new_ones(len(past), num_read)
        inputs: dict[str, Tensor] = {
            "input_ids": ids,
            "attention_mask": torch.cat([past, between, mask], dim=1),
        }
        if self.last is not None:
            inputs["visual_index"] = self.last[list(rows)].expand(-1, ids.shape[1])
        logits: Tensor = self.model(**inputs, past_key_values=cache, use_cache=True).logits
        return logits

    def num_cached(self, cache: GrowingCache) -> int:
        """Tokens whose keys and values are copied for each row that goes on from a prompt.

        Those of visuals are shared; a model that looks at all of them lines them up all the same.
        """
        config = self.model.config
        is_lined_up = config.sees == "all_previous"
        num_visual = num_known(cache, config.num_latents) * config.num_latents if is_lined_up else 0
        return self.mask.shape[1] + num_visual


def _rest(
    reader: _Reader,
    cache: GrowingCache,
    longer: list[tuple[int, int]],
    candidates: list[Sequence[int]],
) -> list[float]:
    """What all tokens but the first of each candidate add to its score."""
    device = reader.mask.device
    ids, mask = padded_on_the_right(candidates, device)
    rows = [row for row, _ in longer]
    # Each row once per candidate: unlike repeating, every kind of cache layer can reorder.
    cache.reorder_cache(torch.tensor(rows, device=device))
    logits = reader(ids[:, :-1], mask[:, 1:], cache, rows)
    return row_log_likelihoods(logits, ids[:, 1:], mask[:, 1:])


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

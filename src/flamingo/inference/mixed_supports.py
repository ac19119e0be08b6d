"""Queries behind different support sets, read as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import LinearAttentionLayer

from flamingo.data.encoding import Encoded
from flamingo.inference.support_cache import READ_AGAIN, Continued, SupportCache
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.growing_cache import GrowingCache, GrowingLayer, layer_with_rows
from flamingo.model.visual_cache import VisualCacheLayer, num_forgotten, num_known

_GATHERED = (GrowingLayer, VisualCacheLayer, LinearAttentionLayer)
"""Layers whose rows can be put together; others keep places that rows would have to share."""


@dataclass(frozen=True)
class Behind:
    """A query with what was read before it.

    Attributes:
        query: what is read now: a whole sequence if there are no supports, else what follows them.
        supports: None where there are none.
    """

    query: Encoded
    supports: SupportCache | None = None

    @property
    def num_before(self) -> int:
        """Tokens that were read before."""
        return 0 if self.supports is None else len(self.supports)

    @property
    def num_read_again(self) -> int:
        """Tokens, the last ones before the query, that may be read once more."""
        can_be = self.supports is not None and self.supports.cache.keeps_each_token
        return min(READ_AGAIN, self.num_before) if can_be else 0


def can_be_mixed(model: FlamingoForConditionalGeneration, rows: Sequence[Behind]) -> bool:
    """Whether these queries can be read together although their supports differ.

    Not where a layer of the language model keeps a window of its tokens, or where a token sees more
    than one visual.
    """
    caches = [row.supports.cache for row in rows if row.supports is not None]
    layers = (layer for cache in caches for layer in cache.layers)
    return model.config.sees == "last" and all(type(layer) in _GATHERED for layer in layers)


def mixed_batches(
    model: FlamingoForConditionalGeneration, rows: Sequence[Behind], most: int
) -> list[list[int]]:
    """Cuts queries into batches that `continued_together` takes, long ones first.

    Args:
        model: that reads them.
        rows: at least one.
        most: queries in a batch.
    """
    if not can_be_mixed(model, rows):
        return _apart(rows, most)
    batches: list[list[int]] = []
    order = sorted(range(len(rows)), key=lambda i: (_has_state(rows[i]), -len(rows[i].query)))
    for number in order:
        if batches and len(batches[-1]) < most and _fits(rows[batches[-1][0]], rows[number]):
            batches[-1].append(number)
        else:
            batches.append([number])
    return batches


def _fits(longest: Behind, row: Behind) -> bool:
    """Whether a query can be read together with one that is as long, or longer."""
    if _has_state(longest) != _has_state(row):
        return False
    # Without supports a row is padded; by no more than would be read again with some.
    spread = READ_AGAIN if row.supports is None else row.num_read_again
    return len(longest.query) - len(row.query) <= spread


def _has_state(row: Behind) -> bool:
    """Whether it goes on from states that hold all that was read, and cannot be without them."""
    layers = () if row.supports is None else row.supports.cache.layers
    return any(isinstance(layer, LinearAttentionLayer) for layer in layers)


def continued_together(
    model: FlamingoForConditionalGeneration, rows: Sequence[Behind], num_new: int
) -> Continued:
    """One batch of queries, each behind the keys and values of its own supports.

    As in `SupportCache.continued` a shorter query begins with last tokens of its supports, and all
    padding stands on the left. Visuals are numbered anew: those of the supports so that all rows
    have equally many, and the queries' behind them.

    Args:
        model: that has read the supports.
        rows: a batch of `mixed_batches`, at least one of them with supports.
        num_new: tokens that will be generated; there is room for them.
    """
    sets = {id(row.supports): row.supports for row in rows}
    if len(sets) == 1 and rows[0].supports is not None:
        return rows[0].supports.continued([row.query for row in rows], num_new)
    longest = max(1, *(len(row.query) for row in rows))
    again = [min(longest - len(row.query), row.num_before) for row in rows]
    taken = [row.num_before - count for row, count in zip(rows, again, strict=True)]
    width = max(taken)
    num_latents = model.config.num_latents
    stored = [_num_stored(row, num_latents) for row in rows]
    most_stored = max(stored)
    ids, index, mask = [], [], []
    for row, count, length, num in zip(rows, again, taken, stored, strict=True):
        shift = most_stored - num
        before_ids, before_index = _last_tokens(row, count, shift, num_latents)
        padding = longest - count - len(row.query)
        ids.append([0] * padding + before_ids + row.query.token_ids)
        # A query's own text before its visual sees the last one of its supports, if there is one.
        own = [number + most_stored if number or num else 0 for number in row.query.visual_index]
        index.append([0] * padding + before_index + own)
        mask.append([0] * (width - length + padding) + [1] * (length + count + len(row.query)))
    device = model.device
    named = {"input_ids": ids, "attention_mask": mask, "visual_index": index}
    inputs: dict[str, Tensor] = {n: torch.tensor(v, device=device) for n, v in named.items()}
    return Continued(inputs, _gathered(model, rows, taken, width, num_new + longest))


def _apart(rows: Sequence[Behind], most: int) -> list[list[int]]:
    """Batches of one support set each."""
    found: dict[int, list[int]] = {}
    for number, row in enumerate(rows):
        found.setdefault(id(row.supports), []).append(number)
    batches = []
    for numbers in found.values():
        supports, own = rows[numbers[0]].supports, [rows[number].query for number in numbers]
        if supports is None:
            starts = range(0, len(numbers), most)
            cut = [list(range(s, min(s + most, len(numbers)))) for s in starts]
        else:
            cut = supports.batches(own, most)
        batches += [[numbers[place] for place in batch] for batch in cut]
    return batches


def _num_stored(row: Behind, num_latents: int) -> int:
    """Visuals whose keys and values the supports still hold."""
    if row.supports is None:
        return 0
    cache = row.supports.cache
    return num_known(cache, num_latents) - num_forgotten(cache)


def _last_tokens(
    row: Behind, count: int, shift: int, num_latents: int
) -> tuple[list[int], list[int]]:
    """The supports' last tokens, and the visuals that they see by their new numbers."""
    if row.supports is None or not count:
        return [], []
    forgotten = num_forgotten(row.supports.cache)
    seen = row.supports.visual_index[-count:]
    return (
        list(row.supports.token_ids[-count:]),
        [number - forgotten + shift if number else 0 for number in seen],
    )


def _gathered(
    model: FlamingoForConditionalGeneration,
    rows: Sequence[Behind],
    taken: Sequence[int],
    width: int,
    num_tokens: int,
) -> GrowingCache:
    """The keys and values of all rows in one cache."""
    cache = GrowingCache(model.config.get_text_config(decoder=True))
    sources = [None if row.supports is None else row.supports.cache.layers for row in rows]
    like = next(layers for layers in sources if layers is not None)
    made: list[Any] = []
    for number, layer in enumerate(like):
        own = [None if layers is None else layers[number] for layers in sources]
        if isinstance(layer, VisualCacheLayer):
            made.append(VisualCacheLayer.gathered(own))
        elif isinstance(layer, LinearAttentionLayer):
            made.append(_states_together(own))
        else:
            made.append(GrowingLayer.gathered(own, taken, width, num_tokens))
    cache.layers = made
    return cache


def _states_together(sources: Sequence[LinearAttentionLayer]) -> LinearAttentionLayer:
    """A layer whose rows go on from the states of other layers, which have one row each."""
    made: LinearAttentionLayer = layer_with_rows(sources[0], torch.tensor([0]))
    for states in ("conv_states", "recurrent_states"):
        for key, state in getattr(made, states).items():
            if state is not None:
                rows = [getattr(source, states)[key] for source in sources]
                getattr(made, states)[key] = torch.cat(rows)
    return made

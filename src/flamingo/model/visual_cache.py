"""Keys and values of the visuals, kept beside the language model's own while it decodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer


class VisualCacheLayer(DynamicLayer):
    """One gated layer's keys and values. They grow with visuals, not with tokens.

    Taking back tokens (assisted decoding) therefore takes nothing from here. Rows that go on from
    one prompt, as beams and candidates do, share what is stored of it: repeating, choosing and
    reordering rows moves numbers and never keys or values.

    Attributes:
        rows: for each row of the cache the stored row that it reads; its own where None.
        num_forgotten: visuals before those that are stored, which no token sees any more.
    """

    keys: Tensor
    values: Tensor
    is_compileable = True

    def __init__(self) -> None:
        super().__init__()
        self.rows: Int[Tensor, " rows"] | None = None
        self.num_forgotten = 0

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Adds new visuals. From here on each row has keys and values of its own."""
        if self.rows is not None:
            self.keys, self.values = self.keys[self.rows], self.values[self.rows]
            self.rows = None
        keys, values = super().update(key_states, value_states, *args, **kwargs)
        return keys, values

    def keep_last(self, key_states: Tensor, value_states: Tensor, num_visuals: int) -> None:
        """Stores the last one of `num_visuals` new visuals; there must be none yet."""
        positions = key_states.shape[2] // num_visuals
        # Copies: a view would keep all of them in memory.
        ends = (kept[:, :, -positions:].clone() for kept in (key_states, value_states))
        super().update(*ends)
        self.num_forgotten = num_visuals - 1

    def forget(self, num_visuals: int, num_latents: int) -> None:
        """Lets go of the first visuals that are stored."""
        if num_visuals and self.get_seq_length():
            first = num_visuals * num_latents
            self.keys, self.values = (
                self.keys[:, :, first:].clone(),
                self.values[:, :, first:].clone(),
            )
            self.num_forgotten += num_visuals

    @classmethod
    def gathered(cls, sources: Sequence[VisualCacheLayer | None]) -> VisualCacheLayer:
        """A layer whose rows hold what other layers store, which have one row each.

        Rows with fewer visuals are filled up on the left with empty ones, which count as known.

        Args:
            sources: for each row a layer, or None for a row without visuals.
        """
        made = cls()
        stored = [s for s in sources if s is not None and s.get_seq_length()]
        if not stored:
            return made
        width = max(source.get_seq_length() for source in stored)
        like = stored[0]
        keys, values = (
            kept.new_zeros(len(sources), kept.shape[1], width, kept.shape[3])
            for kept in (like.keys, like.values)
        )
        for row, source in enumerate(sources):
            if source is not None and (length := source.get_seq_length()):
                own = 0 if source.rows is None else int(source.rows[0])
                keys[row, :, width - length :] = source.keys[own]
                values[row, :, width - length :] = source.values[own]
        # Not `update` of this class, which would look for rows.
        DynamicLayer.update(made, keys, values)
        return made

    def reorder_cache(self, beam_idx: Int[Tensor, " rows"]) -> None:
        """Row i becomes what row `beam_idx[i]` was; there may be more or fewer rows than before."""
        if self.get_seq_length():
            chosen = beam_idx.to(self.keys.device)
            self.rows = chosen if self.rows is None else self.rows[chosen]

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Each row `repeats` times, side by side."""
        if self.get_seq_length():
            self.reorder_cache(self._numbers().repeat_interleave(repeats))

    def batch_select_indices(self, indices: Tensor) -> None:
        """Only the rows of these numbers, or those that a mask marks."""
        if self.get_seq_length():
            self.reorder_cache(self._numbers()[indices.to(self.keys.device)])

    def reset(self) -> None:
        """Forgets everything, and how many visuals there were."""
        super().reset()
        self.rows, self.num_forgotten = None, 0

    def crop(self, tokens_to_remove: int) -> None:
        """Keeps everything: a rejected token is no reason to forget a visual."""

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """The number of visual tokens, whatever the number of queries."""
        return self.get_seq_length(), 0

    def _numbers(self) -> Int[Tensor, " rows"]:
        count = len(self.keys if self.rows is None else self.rows)
        return torch.arange(count, device=self.keys.device)


def visual_layers(cache: Cache, *, num_lm_layers: int, num_gated: int) -> list[VisualCacheLayer]:
    """The cache's layers for visuals; added behind those of the language model where missing."""
    present = [layer for layer in cache.layers if isinstance(layer, VisualCacheLayer)]
    if present:
        return present
    if cache.layer_class_to_replicate is not None:
        # A cache that makes its layers as they come would put the first of them behind ours.
        missing = num_lm_layers - len(cache.layers)
        cache.layers.extend(cache.layer_class_to_replicate() for _ in range(missing))
    added = [VisualCacheLayer() for _ in range(num_gated)]
    cache.layers.extend(added)
    return added


def num_known(cache: Cache | None, num_latents: int) -> int:
    """How many visuals per row a cache has read, forgotten ones included."""
    layer = _first(cache)
    return 0 if layer is None else layer.num_forgotten + layer.get_seq_length() // num_latents


def num_forgotten(cache: Cache | None) -> int:
    """How many of the first visuals per row a cache does not hold any more."""
    layer = _first(cache)
    return 0 if layer is None else layer.num_forgotten


def _first(cache: Cache | None) -> VisualCacheLayer | None:
    layers = cache.layers if cache is not None else []
    return next((layer for layer in layers if isinstance(layer, VisualCacheLayer)), None)

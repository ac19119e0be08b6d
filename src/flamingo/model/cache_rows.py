"""Rows of one cache as caches of their own, for prompts that were read together."""

from __future__ import annotations

import copy
from typing import Any

import torch
from transformers.cache_utils import LinearAttentionLayer

from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.growing_cache import GrowingCache, GrowingLayer, layer_with_rows
from flamingo.model.visual_cache import VisualCacheLayer


def can_be_parted(model: FlamingoForConditionalGeneration) -> bool:
    """Whether rows that were read as one batch can go on from their own keys, values and states.

    Not where a layer keeps a window of the tokens, in which padding has a place, or where tokens
    see more than one visual.
    """
    config = model.config
    layers = GrowingCache(config.get_text_config(decoder=True)).layers
    is_plain = config.sees == "last" and config.xattn_kind != "grafting"
    kinds = {type(layer) for layer in layers}
    return is_plain and bool(kinds) and kinds <= {GrowingLayer, LinearAttentionLayer}


def row_alone(cache: GrowingCache, row: int, pad: int, num_positions: int) -> GrowingCache:
    """A cache that has read what one row of another one has.

    Args:
        cache: of a model that `can_be_parted`, if it has several rows.
        row: its number.
        pad: empty places before its first token.
        num_positions: that its visuals take in the gated layers; they come first.
    """
    if cache.num_rows == 1 and pad == 0:
        return cache
    own = copy.copy(cache)
    own.layers = [_layer_of_row(layer, row, pad, num_positions) for layer in cache.layers]
    return own


def _layer_of_row(layer: Any, row: int, pad: int, num_positions: int) -> Any:
    if isinstance(layer, LinearAttentionLayer):
        return layer_with_rows(layer, torch.tensor([row]))
    made = type(layer)()
    is_visual = isinstance(layer, VisualCacheLayer)
    if not layer.get_seq_length() or (is_visual and not num_positions):
        return made
    places = slice(0, num_positions) if is_visual else slice(pad, None)
    # Copies: a view would keep the keys of all rows in memory.
    keys, values = (kept[row : row + 1, :, places].clone() for kept in (layer.keys, layer.values))
    made.lazy_initialization(keys, values)
    made.keys, made.values = keys, values
    return made

"""Grafting: new layers on top of a language model that nothing is inserted into.

The frozen language model reads the text alone. On its last hidden states stands a stack of new
layers, self-attention and cross-attention in turn, and on these its own frozen output head.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F
from transformers.cache_utils import Cache, DynamicLayer, StaticLayer

from flamingo.foundation.errors import ConfigError, SequenceError
from flamingo.model.attention import CrossAttention
from flamingo.model.conditioning import Conditioning, current_conditioning
from flamingo.model.feed_forward import FeedForward
from flamingo.model.gated_xattn_dense import GatedXattnDense, closed_gate, through_gate
from flamingo.model.visibility import Visibility


class GraftedCacheLayer(DynamicLayer):
    """Keys and values of one grafted self-attention, beside the language model's own."""


class GraftedSelfAttention(nn.Module):
    """Causal self-attention and feed-forward, each through a gate that starts closed.

    It has no positions of its own: the hidden states that it reads come out of a language model
    that knew them.

    Args:
        dim: width of the language model's last hidden states.
        num_heads: attention heads.
        head_dim: width of one head.
        ffw_multiple: hidden width of the feed-forward divided by `dim`.
        activation: of the feed-forward, see `feed_forward.ACTIVATIONS`.
        is_gated: without gates, both outputs are added as they are.

    Paper: Table 3 ("Grafting"), and the note on it in v1. The gates are ours: so the model starts
    as the language model alone, as all others do.
    """

    def __init__(
        self,
        *,
        dim: int,
        num_heads: int,
        head_dim: int,
        ffw_multiple: int,
        activation: str,
        is_gated: bool,
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.attention = CrossAttention(
            query_dim=dim, source_dim=dim, num_heads=num_heads, head_dim=head_dim
        )
        self.feed_forward = FeedForward(dim=dim, multiple=ffw_multiple, activation=activation)
        self.alpha_self = closed_gate(is_gated)
        self.alpha_dense = closed_gate(is_gated)

    def forward(
        self,
        text: Float[Tensor, "batch tokens dim"],
        mask: Bool[Tensor, "batch 1 tokens positions"],
        kept: GraftedCacheLayer | None,
    ) -> Float[Tensor, "batch tokens dim"]:
        """The text after one look at itself; what `kept` holds comes before it, and is added to."""
        attention, normed = self.attention, self.norm(text)
        keys, values = attention.keys_values(normed)
        if kept is not None:
            keys, values = kept.update(keys, values)
        found = F.scaled_dot_product_attention(
            attention.queries(normed), keys, values, attn_mask=mask
        )
        read = attention.to_output(found.transpose(1, 2).flatten(2))
        text = text + through_gate(self.alpha_self, read)
        return text + through_gate(self.alpha_dense, self.feed_forward(text))


class GraftedLayer(nn.Module):
    """One pair of the stack: the text looks at itself, then at the visuals."""

    def __init__(
        self, self_attention: GraftedSelfAttention, gated_xattn_dense: GatedXattnDense
    ) -> None:
        super().__init__()
        self.self_attention = self_attention
        self.gated_xattn_dense = gated_xattn_dense

    def forward(
        self,
        text: Float[Tensor, "batch tokens dim"],
        mask: Bool[Tensor, "batch 1 tokens positions"],
        kept: GraftedCacheLayer | None,
        keys: Float[Tensor, "stored heads visible head_dim"] | None,
        values: Float[Tensor, "stored heads visible head_dim"] | None,
        visibility: Visibility | None,
        visual_tokens: Float[Tensor, "batch visuals latents visual_dim"] | None,
    ) -> Float[Tensor, "batch tokens dim"]:
        """The text after both looks, in the precision in which it came."""
        dtype = self.self_attention.norm.weight.dtype
        read = self.self_attention(text.to(dtype), mask, kept)
        return self.gated_xattn_dense(read, keys, values, visibility, visual_tokens).to(text.dtype)


class Grafter:
    """Runs the stack on what enters the output head: a forward pre-hook, and all of the bridge."""

    def __init__(self, layers: nn.ModuleList) -> None:
        self.layers = layers
        self.checkpoint: Callable[..., Any] | None = None

    def __call__(self, head: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Replaces the last hidden states, and cuts them to those that need logits."""
        conditioning = current_conditioning()
        if conditioning is None or conditioning.blocks is not self.layers:
            return None
        text, *rest = args
        kept = _kept(conditioning.cache, len(self.layers), text.shape[1])
        mask = _causal(conditioning, text, 0 if kept is None else kept[0].get_seq_length())
        for index, layer in enumerate(self.layers):
            text = self._run(layer, index, text, mask, kept, conditioning)
        return (_last(text, conditioning.logits_to_keep), *rest)

    def _run(
        self,
        layer: Any,
        index: int,
        text: Tensor,
        mask: Tensor,
        kept: list[GraftedCacheLayer] | None,
        conditioning: Conditioning,
    ) -> Tensor:
        seen = conditioning.seen_by(index, layer.gated_xattn_dense)
        inputs = (text, mask, None if kept is None else kept[index], *seen)
        if self.checkpoint is not None and layer.training:
            return self.checkpoint(layer, *inputs)
        return layer(*inputs)


def _kept(cache: Cache | None, num_layers: int, num_new: int) -> list[GraftedCacheLayer] | None:
    """The cache's layers for the stack; added behind all others where they are missing.

    Raises:
        ConfigError: the cache is a static one.
        SequenceError: the cache holds text that the stack has not read.
    """
    if cache is None:
        return None
    if any(isinstance(layer, StaticLayer) for layer in cache.layers):
        raise ConfigError(
            "Grafted layers cannot be kept in a static cache: they read as many keys as there are "
            "tokens, and a static cache has room for more. Use the dynamic cache, which is the "
            "default (leave cache_implementation out)."
        )
    kept = [layer for layer in cache.layers if isinstance(layer, GraftedCacheLayer)]
    if not kept:
        kept = [GraftedCacheLayer() for _ in range(num_layers)]
        cache.layers.extend(kept)
    read, total = kept[0].get_seq_length() + num_new, cache.get_seq_length()
    if read != total:
        raise SequenceError(
            f"The cache holds {total} tokens, but the grafted layers have read {read} of them. "
            "Give one cache (`past_key_values=DynamicCache()`) from the first pass on."
        )
    return kept


def _causal(
    conditioning: Conditioning, text: Tensor, num_kept: int
) -> Bool[Tensor, "batch 1 tokens positions"]:
    """Each token reads itself and the real tokens before it."""
    batch, tokens = text.shape[:2]
    total = num_kept + tokens
    place = torch.arange(total, device=text.device)
    earlier = place < place[num_kept:, None]
    real = conditioning.attention_mask
    visible = earlier[None].expand(batch, -1, -1)
    if real is not None:
        if not isinstance(real, Tensor) or real.dim() != 2:
            raise ConfigError(
                "Grafted layers need an attention_mask of rows and tokens, but were given masks "
                "that are made ready. Give 1 for each real token and 0 for padding."
            )
        visible = visible & real[:, None, :total].bool()
    return (visible | (place == place[num_kept:, None]))[:, None]


def _last(text: Tensor, logits_to_keep: int | Tensor) -> Tensor:
    if isinstance(logits_to_keep, Tensor):
        return text[:, logits_to_keep]
    return text[:, -logits_to_keep:] if logits_to_keep else text

"""The decoder layers of a MosaicGPT: ALiBi, no biases, normalized queries and keys."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from transformers.cache_utils import Cache
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from flamingo.model.language_models.mosaic_gpt_config import MosaicGPTConfig

EPS = 1e-5
"""Of all norms."""


class MosaicGPTAttention(nn.Module):
    """Causal self-attention; queries and keys are normalized before the heads are split."""

    is_causal = True

    def __init__(self, config: MosaicGPTConfig, layer_idx: int) -> None:
        super().__init__()
        dim = config.d_model
        self.config, self.layer_idx = config, layer_idx
        self.head_dim = dim // config.n_heads
        self.scaling = float(config.softmax_scale or self.head_dim**-0.5)
        self.Wqkv = nn.Linear(dim, 3 * dim, bias=False)
        self.out_proj = nn.Linear(dim, dim, bias=False)
        if config.attn_qk_ln:
            self.q_ln = nn.LayerNorm(dim, eps=EPS, bias=False)
            self.k_ln = nn.LayerNorm(dim, eps=EPS, bias=False)

    def forward(
        self,
        hidden_states: Float[Tensor, "batch tokens dim"],
        attention_mask: Float[Tensor, "masks heads tokens keys"],
        past_key_values: Cache | None = None,
    ) -> tuple[Float[Tensor, "batch tokens dim"], Tensor | None]:
        """What each token takes from those before it, and the weights if attention is eager."""
        qkv = self.Wqkv(hidden_states)
        if self.config.attn_clip_qkv:
            qkv = qkv.clamp(-self.config.attn_clip_qkv, self.config.attn_clip_qkv)
        query, key, value = qkv.chunk(3, dim=-1)
        if self.config.attn_qk_ln:
            # Under autocast a norm answers in float32; the cache holds what the projection gave.
            query, key = self.q_ln(query).to(value.dtype), self.k_ln(key).to(value.dtype)
        query, key, value = (
            part.unflatten(-1, (-1, self.head_dim)).transpose(1, 2) for part in (query, key, value)
        )
        if past_key_values is not None:
            key, value = past_key_values.update(key, value, self.layer_idx)
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(
            self.config._attn_implementation, eager_attention
        )
        dropout = float(self.config.attn_pdrop) if self.training else 0.0
        seen, weights = attend(
            self, query, key, value, attention_mask, scaling=self.scaling, dropout=dropout
        )
        return self.out_proj(seen.flatten(-2)), weights


def eager_attention(
    module: nn.Module,
    query: Float[Tensor, "batch heads tokens dim"],
    key: Float[Tensor, "batch heads keys dim"],
    value: Float[Tensor, "batch heads keys dim"],
    attention_mask: Float[Tensor, "masks heads tokens keys"],
    scaling: float,
    dropout: float = 0.0,
) -> tuple[Float[Tensor, "batch tokens heads dim"], Float[Tensor, "batch heads tokens keys"]]:
    """Attention that also gives its weights."""
    scores = query @ key.transpose(-1, -2) * scaling + attention_mask
    weights = F.dropout(scores.softmax(-1, dtype=torch.float32).to(query.dtype), dropout)
    return (weights @ value).transpose(1, 2), weights


class MosaicGPTMLP(nn.Module):
    """The feed-forward of a layer."""

    def __init__(self, config: MosaicGPTConfig) -> None:
        super().__init__()
        self.mlp_up = nn.Linear(config.d_model, config.mlp_ratio * config.d_model, bias=False)
        self.mlp_down = nn.Linear(config.mlp_ratio * config.d_model, config.d_model, bias=False)

    def forward(
        self, hidden_states: Float[Tensor, "batch tokens dim"]
    ) -> Float[Tensor, "batch tokens dim"]:
        """Each token by itself."""
        return self.mlp_down(F.gelu(self.mlp_up(hidden_states)))


class MosaicGPTBlock(GradientCheckpointingLayer):
    """A decoder layer: both halves read a normalized copy, and add to what came in."""

    def __init__(self, config: MosaicGPTConfig, layer_idx: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.d_model, eps=EPS, bias=False)
        self.attn = MosaicGPTAttention(config, layer_idx)
        self.ln_2 = nn.LayerNorm(config.d_model, eps=EPS, bias=False)
        self.mlp = MosaicGPTMLP(config)
        self.resid_attn_dropout = nn.Dropout(config.resid_pdrop)
        self.resid_mlp_dropout = nn.Dropout(config.resid_pdrop)

    def forward(
        self,
        hidden_states: Float[Tensor, "batch tokens dim"],
        attention_mask: Float[Tensor, "masks heads tokens keys"],
        past_key_values: Cache | None = None,
    ) -> Float[Tensor, "batch tokens dim"]:
        """The hidden states for the next layer."""
        seen, _ = self.attn(
            self.ln_1(hidden_states), attention_mask=attention_mask, past_key_values=past_key_values
        )
        hidden_states = hidden_states + self.resid_attn_dropout(seen)
        return hidden_states + self.resid_mlp_dropout(self.mlp(self.ln_2(hidden_states)))

"""From a configuration to the new parts of a Flamingo: the one place that knows both."""

from __future__ import annotations

from typing import Any

from torch import nn

from flamingo.model.config import FlamingoConfig
from flamingo.model.gated_xattn_dense import GatedXattnDense
from flamingo.model.language_model import Host
from flamingo.model.new_tokens import NewTokens
from flamingo.model.perceiver_resampler import PerceiverResampler


def resampler(config: FlamingoConfig, encoder_dim: int) -> PerceiverResampler:
    """The Perceiver Resampler for an encoder whose features have width `encoder_dim`."""
    return PerceiverResampler(
        visual_dim=encoder_dim,
        dim=config.resampler_dim or encoder_dim,
        num_layers=config.resampler_layers,
        num_latents=config.num_latents,
        num_heads=config.resampler_heads,
        head_dim=config.resampler_head_dim,
        ffw_multiple=config.resampler_ffw_multiple,
        activation=config.activation,
        num_time_embeddings=config.num_time_embeddings,
    )


def widening(config: FlamingoConfig, encoder_dim: int, host: Host) -> nn.Module:
    """The map from the resampler's width to the language model's, where they differ."""
    dim = config.resampler_dim or encoder_dim
    if not _widens(config, encoder_dim, host):
        return nn.Identity()
    return nn.Linear(dim, host.dim, bias=False)


def gated_layers(config: FlamingoConfig, encoder_dim: int, host: Host) -> nn.ModuleList:
    """One gated layer for each of the decoder layers 0, n, 2n and so on."""
    widens = _widens(config, encoder_dim, host)
    text: Any = config.text_config
    heads = config.xattn_heads or int(text.get_text_config().num_attention_heads)
    return nn.ModuleList(
        GatedXattnDense(
            dim=host.dim,
            visual_dim=host.dim if widens else config.resampler_dim or encoder_dim,
            num_heads=heads,
            head_dim=config.xattn_head_dim or max(1, host.dim // heads),
            ffw_multiple=config.xattn_ffw_multiple,
            activation=config.activation,
        )
        for _ in range(0, len(host.layers), config.xattn_every)
    )


def new_tokens(config: FlamingoConfig, host: Host) -> NewTokens | None:
    """Rows for the tokens that the language model does not know, if there are any."""
    if not config.new_token_ids:
        return None
    embedding: Any = host.embedding
    head: Any = host.head
    return NewTokens(
        config.new_token_ids,
        embedding_dim=int(embedding.weight.shape[-1]),
        output_dim=None if host.is_tied else int(head.weight.shape[-1]),
    )


def _widens(config: FlamingoConfig, encoder_dim: int, host: Host) -> bool:
    return config.widen_visual_tokens and (config.resampler_dim or encoder_dim) != host.dim

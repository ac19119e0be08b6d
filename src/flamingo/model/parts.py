"""From a configuration to the new parts of a Flamingo: the one place that knows both."""

from __future__ import annotations

from typing import Any

from torch import nn

from flamingo.model.config import FlamingoConfig
from flamingo.model.gated_xattn_dense import GatedXattnDense
from flamingo.model.language_model import Host
from flamingo.model.new_tokens import NewTokens
from flamingo.model.perceiver_resampler import PerceiverResampler
from flamingo.model.variants.grafting import GraftedLayer, GraftedSelfAttention
from flamingo.model.variants.places import gated_places
from flamingo.model.variants.resamplers import MlpResampler, TransformerResampler, num_parameters
from flamingo.model.variants.vanilla import VanillaXattn


def resampler(config: FlamingoConfig, encoder_dim: int) -> PerceiverResampler:
    """The resampler for an encoder whose features have width `encoder_dim`."""
    dim = config.resampler_dim or encoder_dim
    shared: dict[str, Any] = {
        "visual_dim": encoder_dim,
        "dim": dim,
        "num_latents": config.num_latents,
        "activation": config.resampler_activation or config.activation,
        "num_time_embeddings": config.num_time_embeddings,
    }
    layers: dict[str, Any] = {
        "num_layers": config.resampler_layers,
        "num_heads": config.resampler_heads,
        "head_dim": config.resampler_head_dim,
        "ffw_multiple": config.resampler_ffw_multiple,
    }
    if config.resampler_kind == "mlp":
        return MlpResampler(**shared, num_parameters=num_parameters(**shared, **layers))
    if config.resampler_kind == "transformer":
        return TransformerResampler(**shared, **layers)
    return PerceiverResampler(
        **shared,
        **layers,
        qk_norm=config.resampler_qk_norm,
        num_positions=config.resampler_positions,
        num_local_latents=config.resampler_local_latents,
    )


def widening(config: FlamingoConfig, encoder_dim: int, host: Host) -> nn.Module:
    """The map from the resampler's width to the language model's, where they differ."""
    dim = config.resampler_dim or encoder_dim
    if not _widens(config, encoder_dim, host):
        return nn.Identity()
    return nn.Linear(dim, host.dim, bias=False)


def gated_layers(config: FlamingoConfig, encoder_dim: int, host: Host) -> nn.ModuleList:
    """The new layers through which the text sees, one for each of `gated_places`."""
    attention = _attention(config, encoder_dim, host)
    dense: dict[str, Any] = {
        "ffw_multiple": config.xattn_ffw_multiple,
        "ffw_dim": config.xattn_ffw_dim,
        "activation": config.xattn_activation or config.activation,
    }
    places = gated_places(config, len(host.layers))
    if config.xattn_kind == "vanilla":
        return nn.ModuleList(VanillaXattn(**attention) for _ in places)
    if config.xattn_kind == "grafting":
        return _grafted_layers(attention, dense, len(places))
    return nn.ModuleList(GatedXattnDense(**attention, **dense) for _ in places)


def _attention(config: FlamingoConfig, encoder_dim: int, host: Host) -> dict[str, Any]:
    """The shape of a new layer's cross-attention."""
    text: Any = config.text_config
    heads = config.xattn_heads or int(text.get_text_config().num_attention_heads)
    widens = _widens(config, encoder_dim, host)
    return {
        "dim": host.dim,
        "visual_dim": host.dim if widens else config.resampler_dim or encoder_dim,
        "num_heads": heads,
        "head_dim": config.xattn_head_dim or max(1, host.dim // heads),
        "is_gated": config.gating == "tanh",
        "gate_shape": config.gate_shape,
        "norm_kind": config.xattn_norm,
        "norm_eps": config.xattn_norm_eps,
        "has_visual_norm": config.xattn_visual_norm,
        "qk_norm": config.xattn_qk_norm,
    }


def _grafted_layers(attention: dict[str, Any], dense: dict[str, Any], count: int) -> nn.ModuleList:
    """`count` pairs of self-attention and cross-attention, all of one shape."""
    own = {name: attention[name] for name in ("dim", "num_heads", "head_dim", "is_gated")}
    own |= {name: dense[name] for name in ("ffw_multiple", "activation")}
    return nn.ModuleList(
        GraftedLayer(GraftedSelfAttention(**own), GatedXattnDense(**attention, **dense))
        for _ in range(count)
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

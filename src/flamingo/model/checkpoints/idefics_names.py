"""The names of an IDEFICS checkpoint's tensors, in ours."""

from __future__ import annotations

import re

from flamingo.model.checkpoints.translation import renamed

IGNORED = (
    r"model\..*rotary_emb\.inv_freq",
    r"model\.vision_model\.embeddings\.position_ids",
)
"""Tables that follow from the settings; older versions of transformers wrote them."""

_RULES = (
    (r"vision_encoder\.body\.tower\.(.*)", r"model.vision_model.\1"),
    (r"language_model\.(.*)", r"\1"),
    (r"new_tokens\.input_rows", "model.embed_tokens.additional_embedding.weight"),
    (r"new_tokens\.output_rows", "lm_head.additional_fc.weight"),
    (r"resampler\.latents", "model.perceiver_resampler.latents"),
    (r"resampler\.norm\.(.*)", r"model.perceiver_resampler.layer_norm.\1"),
)

_RESAMPLER_LAYER = {
    "features_norm": "0.context_layer_norm",
    "latents_norm": "0.latents_layer_norm",
    "attention.queries_norm": "0.q_layer_norm",
    "attention.keys_norm": "0.k_layer_norm",
    "attention.to_queries": "0.q_proj",
    "attention.to_keys": "0.k_proj",
    "attention.to_values": "0.v_proj",
    "attention.to_output": "0.output_proj",
    "feed_forward.norm": "1.ln",
    "feed_forward.widen": "1.fc",
    "feed_forward.narrow": "1.c_proj",
}

_GATED_LAYER = {
    "alpha_xattn": "alpha_cross_attn",
    "alpha_dense": "alpha_dense",
    "text_norm": "input_layernorm",
    "attention.queries_norm": "cross_attn.q_layer_norm",
    "attention.keys_norm": "cross_attn.k_layer_norm",
    "attention.to_queries": "cross_attn.q_proj",
    "attention.to_keys": "cross_attn.k_proj",
    "attention.to_values": "cross_attn.v_proj",
    "attention.to_output": "cross_attn.o_proj",
    "feed_forward.norm": "post_attention_layernorm",
    "feed_forward.gate": "mlp.gate_proj",
    "feed_forward.widen": "mlp.up_proj",
    "feed_forward.narrow": "mlp.down_proj",
}


_LAYERS = {
    "resampler.layers": ("model.perceiver_resampler.blocks", _RESAMPLER_LAYER),
    "gated_xattn_dense": ("model.gated_cross_attn_layers", _GATED_LAYER),
}
_LAYER = re.compile(r"(resampler\.layers|gated_xattn_dense)\.(\d+)\.(.+?)(\.weight|\.bias)?")


def idefics_name(name: str) -> str:
    """What IDEFICS calls a tensor of ours.

    Raises:
        CheckpointError: it has no such part.
    """
    match = _LAYER.fullmatch(name)
    if match is None:
        return renamed(name, _RULES)
    kind, number, part, ending = match.groups("")
    layers, parts = _LAYERS[kind]
    return f"{layers}.{number}.{parts[part]}{ending}" if part in parts else renamed(name, ())

"""MosaicGPT written once more, from its formulas, over a state dict."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

RELEASED: dict[str, Any] = {
    "_name_or_path": "mosaicml/mpt-1b-redpajama-200b",
    "alibi": True,
    "alibi_bias_max": 8,
    "architectures": ["MosaicGPT"],
    "attn_clip_qkv": None,
    "attn_impl": "torch",
    "attn_pdrop": 0,
    "attn_qk_ln": True,
    "attn_uses_sequence_id": False,
    "auto_map": {
        "AutoConfig": "configuration_mosaic_gpt.MosaicGPTConfig",
        "AutoModelForCausalLM": "mosaic_gpt.MosaicGPT",
    },
    "d_model": 32,
    "emb_init_std": None,
    "emb_init_uniform_lim": None,
    "emb_pdrop": 0,
    "embedding_fraction": 1.0,
    "fan_mode": "fan_in",
    "init_device": "cpu",
    "init_div_is_residual": True,
    "init_gain": 0,
    "init_nonlinearity": "relu",
    "init_std": 0.02,
    "logit_scale": None,
    "low_precision_layernorm": True,
    "max_seq_len": 24,
    "mlp_ratio": 4,
    "model_type": "mosaic_gpt",
    "n_heads": 4,
    "n_layers": 3,
    "no_bias": True,
    "param_init_fn": "kaiming_normal_",
    "prefix_lm": False,
    "resid_pdrop": 0,
    "softmax_scale": None,
    "tokenizer_name": "EleutherAI/gpt-neox-20b",
    "torch_dtype": "float32",
    "transformers_version": "4.27.4",
    "use_cache": False,
    "verbose": 0,
    "vocab_size": 50,
}
"""A small config.json in the layout of the released one, as far as that is remembered."""


def released_weights(seed: int = 0, **changes: Any) -> dict[str, Tensor]:
    """Random weights under the released names."""
    config = {**RELEASED, **changes}
    dim, hidden = config["d_model"], config["d_model"] * config["mlp_ratio"]
    shapes: dict[str, tuple[int, ...]] = {"transformer.wte.weight": (config["vocab_size"], dim)}
    for layer in range(config["n_layers"]):
        own: dict[str, tuple[int, ...]] = {
            "ln_1": (dim,),
            "attn.Wqkv": (3 * dim, dim),
            "attn.out_proj": (dim, dim),
            "ln_2": (dim,),
            "mlp.mlp_up": (hidden, dim),
            "mlp.mlp_down": (dim, hidden),
        }
        if config["attn_qk_ln"]:
            own |= {"attn.q_ln": (dim,), "attn.k_ln": (dim,)}
        shapes |= {f"transformer.blocks.{layer}.{k}.weight": shape for k, shape in own.items()}
    shapes["transformer.ln_f.weight"] = (dim,)
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(shape, generator=generator) * (0.3 if len(shape) == 2 else 1.0)
        for name, shape in shapes.items()
    }


def logits_of(weights: dict[str, Tensor], ids: Tensor, mask: Tensor, **changes: Any) -> Tensor:
    """Logits at all positions. Rows of padding give whatever the formulas give."""
    config = {**RELEASED, **changes}
    dim, num_heads = config["d_model"], config["n_heads"]
    length = ids.shape[1]
    x = weights["transformer.wte.weight"][ids]
    steps = torch.arange(1 - length, 1).float()
    slopes = [2 ** (-config["alibi_bias_max"] * h / num_heads) for h in range(1, num_heads + 1)]
    blocked = torch.triu(torch.ones(length, length), 1).bool() | (mask[:, None, :] == 0)
    for layer in range(config["n_layers"]):
        prefix = f"transformer.blocks.{layer}."
        own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        qkv = _norm(x, own["ln_1.weight"]) @ own["attn.Wqkv.weight"].T
        if config["attn_clip_qkv"]:
            qkv = qkv.clip(-config["attn_clip_qkv"], config["attn_clip_qkv"])
        q, k, v = qkv.split(dim, dim=2)
        if config["attn_qk_ln"]:
            q, k = _norm(q, own["attn.q_ln.weight"]), _norm(k, own["attn.k_ln.weight"])
        width = dim // num_heads
        scale = config["softmax_scale"] or 1 / math.sqrt(width)
        seen = []
        for head, slope in enumerate(slopes):
            part = slice(head * width, (head + 1) * width)
            scores = torch.einsum("bqd,bkd->bqk", q[..., part], k[..., part]) * scale
            scores = (scores + steps * slope).masked_fill(blocked, -1e30)
            seen.append(scores.softmax(-1) @ v[..., part])
        x = x + torch.cat(seen, -1) @ own["attn.out_proj.weight"].T
        up = _norm(x, own["ln_2.weight"]) @ own["mlp.mlp_up.weight"].T
        x = x + (up * (1 + torch.erf(up / math.sqrt(2))) / 2) @ own["mlp.mlp_down.weight"].T
    logits = _norm(x, weights["transformer.ln_f.weight"]) @ weights["transformer.wte.weight"].T
    scale = config["logit_scale"]
    return logits * ({None: 1, "inv_sqrt_d_model": 1 / math.sqrt(dim)}.get(scale, scale))


def _norm(x: Tensor, weight: Tensor) -> Tensor:
    centered = x - x.mean(-1, keepdim=True)
    return centered / (centered.square().mean(-1, keepdim=True) + 1e-5).sqrt() * weight

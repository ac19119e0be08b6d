"""What the released Flamingos weigh: parameters by part, and memory in each number format.

    python -m benchmarks.released_sizes

Each model is built in its released size without any memory for it (PyTorch's meta device), from
settings, not from its files. What is counted is weights alone: what is computed with them needs
more, of which keys and values are told by token and by visual.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import CLIPVisionConfig, GPTNeoXConfig, MptConfig, PreTrainedConfig

from flamingo.model.checkpoints.idefics import idefics_config
from flamingo.model.config import FlamingoConfig
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.language_models.mosaic_gpt_config import MosaicGPTConfig
from flamingo.presets.parameter_table import parameter_table

GIGA = 1e9
ROWS = 50_280
"""Of the tables of all OpenFlamingos: 50,277 tokens of GPT-NeoX' tokenizer, and three new ones."""


def open_flamingo(text: PreTrainedConfig, every: int) -> FlamingoConfig:
    """An OpenFlamingo around a language model, with a gated layer before each `every`-th layer."""
    tower = CLIPVisionConfig(
        hidden_size=1_024,
        intermediate_size=4_096,
        num_hidden_layers=24,
        num_attention_heads=16,
        image_size=224,
        patch_size=14,
        hidden_act="quick_gelu",
    )
    return FlamingoConfig(
        text,
        tower,
        vision_settings={"use_post_norm": False},
        resampler_heads=8,
        resampler_head_dim=64,
        num_time_embeddings=0,
        activation="gelu",
        widen_visual_tokens=False,
        xattn_every=every,
        xattn_offset=every - 1,
        xattn_heads=8,
        xattn_head_dim=64,
        xattn_visual_norm=False,
        new_token_ids=[ROWS - 3, ROWS - 2],
        image_token_id=ROWS - 2,
        eoc_token_id=ROWS - 3,
    )


def idefics(dim: int, layers: int, heads: int, feed_forward: int, eps: float) -> FlamingoConfig:
    """An IDEFICS around a LLaMA of this size, by the reader of its released settings."""
    settings: dict[str, Any] = {
        "model_type": "idefics",
        "vocab_size": 32_000,
        "additional_vocab_size": 2,
        "hidden_size": dim,
        "intermediate_size": feed_forward,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "rms_norm_eps": eps,
        "cross_layer_interval": 4,
        "qk_layer_norms": True,
        "use_resampler": True,
        "vision_config": {
            "embed_dim": 1_280,
            "intermediate_size": 5_120,
            "num_hidden_layers": 32,
            "num_attention_heads": 16,
            "image_size": 224,
            "patch_size": 14,
            "hidden_act": "gelu",
        },
        "perceiver_config": {
            "resampler_n_latents": 64,
            "resampler_depth": 6,
            "resampler_n_heads": 16,
            "resampler_head_dim": 96,
            "qk_layer_norms_perceiver": True,
        },
    }
    with tempfile.TemporaryDirectory() as no_tokenizer:
        return idefics_config(no_tokenizer, settings)


def released() -> dict[str, FlamingoConfig]:
    """The released sizes; instructed models have those of their base."""
    neox = GPTNeoXConfig(
        vocab_size=ROWS,
        hidden_size=2_560,
        intermediate_size=10_240,
        num_hidden_layers=32,
        num_attention_heads=32,
        tie_word_embeddings=False,
    )
    mpt = MptConfig(vocab_size=ROWS, d_model=4_096, n_layers=32, n_heads=32, no_bias=True)
    return {
        "OpenFlamingo-3B": open_flamingo(MosaicGPTConfig(vocab_size=ROWS), 1),
        "OpenFlamingo-4B": open_flamingo(neox, 2),
        "OpenFlamingo-9B": open_flamingo(mpt, 4),
        "IDEFICS-9B": idefics(4_096, 32, 32, 11_008, 1e-6),
        "IDEFICS-80B": idefics(8_192, 80, 64, 22_016, 1e-5),
    }


def sizes(config: FlamingoConfig) -> dict[str, Any]:
    """Parameters by part; gigabytes by number format, of weights, keys and values."""
    with torch.device("meta"):
        model = FlamingoForConditionalGeneration(config)
    parts = {row.part: row.num_parameters for row in parameter_table(model)}
    total = parts["total"]
    # What bitsandbytes takes: linear maps, but for the output head.
    head = model.host.head
    maps = [m for m in model.language_model.modules() if isinstance(m, nn.Linear) and m is not head]
    weights = sum(own.weight.numel() for own in maps)
    rest = 2 * (total - weights)
    # A scale of 4 bytes for each row; or half a byte for each weight, a scale of one byte for 64
    # weights, and one of 4 bytes for 256 scales.
    eight = weights + 4 * sum(own.out_features for own in maps)
    four = weights / 2 + weights / 64 + 4 * weights / 64 / 256
    text: Any = config.text_config
    heads = config.xattn_heads or text.num_attention_heads
    width = config.xattn_head_dim or text.hidden_size // text.num_attention_heads
    seen = 2 * len(model.gated_xattn_dense) * config.num_latents * heads * width
    table = sum(own.numel() for own in model.host.embedding.parameters())
    return {
        "parameters": parts,
        "gated_layers": len(model.gated_xattn_dense),
        # What OpenFlamingo's checkpoint.pt holds: new parts, and the table of embeddings.
        "trained_with_table": parts["gated xattn-dense"] + parts["resampler"] + table,
        "weights_gb": {
            "fp32": 4 * total / GIGA,
            "bf16": 2 * total / GIGA,
            "8 bits": (eight + rest) / GIGA,
            "4 bits": (four + rest) / GIGA,
        },
        "kept_gb_bf16": {
            "1,000 tokens": 2 * 2 * text.num_hidden_layers * text.hidden_size * 1_000 / GIGA,
            "33 visuals": 2 * seen * 33 / GIGA,
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    found = {name: sizes(config) for name, config in released().items()}
    _print("millions of parameters", {n: _counts(one) for n, one in found.items()})
    _print("GB of weights", {n: one["weights_gb"] for n, one in found.items()})
    _print("GB of keys and values, bf16", {n: one["kept_gb_bf16"] for n, one in found.items()})
    for name, one in found.items():
        print(f"{name}: resampler, gated layers and embeddings: {one['trained_with_table']:,}")
    if args.json is not None:
        args.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _counts(one: Mapping[str, Any]) -> dict[str, float]:
    return {part: number / 1e6 for part, number in one["parameters"].items()}


def _print(title: str, rows: Mapping[str, Mapping[str, float]]) -> None:
    columns = [*next(iter(rows.values()))]
    print(" | ".join([title, *columns]))
    for name, row in rows.items():
        print(" | ".join([name, *(f"{row[column]:,.2f}" for column in columns)]))


if __name__ == "__main__":
    main()

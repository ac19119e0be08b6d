"""Small random IDEFICS checkpoints, in the released settings and as transformers writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import IdeficsConfig, IdeficsForVisionText2Text

from tests.model.checkpoints.parity_prompts import SIZE
from tests.model.checkpoints.random_weights import randomize

VOCABULARY = 60
FAKE, IMAGE, END_OF_UTTERANCE = VOCABULARY, VOCABULARY + 1, VOCABULARY + 2
PAD, BEGIN, END = 0, 1, 2
DIM, WIDTH, LAYERS, EVERY = 32, 24, 8, 4

RELEASED: dict[str, dict[str, Any]] = {
    "9B": {"rms_norm_eps": 1e-6},
    "80B": {"rms_norm_eps": 1e-5},
    "9B instruct": {"rms_norm_eps": 1e-6, "additional_vocab_size": 3},
    "vector gates": {"rms_norm_eps": 1e-6, "alpha_type": "vector"},
}
"""Settings by the release that they are of; gates that are vectors were published nowhere."""


def write_checkpoint(
    folder: Path, *, is_legacy: bool = False, seed: int = 0, **settings: Any
) -> IdeficsForVisionText2Text:
    """Writes a checkpoint of several shards, and gives the model that is in it.

    Args:
        folder: where to.
        is_legacy: whether tensors are there that transformers wrote once and reads no more, and
            config.json is without what it did not write then.
        seed: of all weights.
        **settings: of `IdeficsConfig`, instead of those of the 9B.
    """
    model = IdeficsForVisionText2Text(_config(**settings)).eval()
    randomize(model.named_parameters(), torch.Generator().manual_seed(seed))
    model.save_pretrained(folder, max_shard_size="60KB")
    assert len(list(folder.glob("*.safetensors"))) > 2
    if is_legacy:
        _add_legacy(folder)
    return model


def _config(**settings: Any) -> IdeficsConfig:
    return IdeficsConfig(
        **{
            "vocab_size": VOCABULARY,
            "additional_vocab_size": 2,
            "hidden_size": DIM,
            "intermediate_size": 40,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": 4,
            "max_position_embeddings": 64,
            "cross_layer_interval": EVERY,
            "qk_layer_norms": True,
            "alpha_type": "float",
            "alpha_initializer": "zeros",
            "use_resampler": True,
            "freeze_text_layers": False,
            "freeze_vision_layers": False,
            "freeze_lm_head": False,
            "perceiver_config": {
                "use_resampler": False,
                "resampler_n_latents": 5,
                "resampler_depth": 2,
                "resampler_n_heads": 2,
                "resampler_head_dim": 6,
                "qk_layer_norms_perceiver": True,
            },
            "vision_config": {
                "embed_dim": WIDTH,
                "intermediate_size": 36,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "image_size": SIZE,
                "patch_size": 14,
                "hidden_act": "gelu",
            },
            "pad_token_id": PAD,
            "bos_token_id": BEGIN,
            "eos_token_id": END,
            **settings,
        }
    )


def _add_legacy(folder: Path) -> None:
    """Buffers that are computed today, and a configuration without the angles of positions."""
    blocks = [f"layers.{layer}.self_attn" for layer in range(LAYERS)]
    blocks += [f"gated_cross_attn_layers.{k}.cross_attn" for k in range(LAYERS // EVERY)]
    angles = 10000.0 ** -(torch.arange(0, DIM // 4, 2) / (DIM // 4))
    added = {f"model.{block}.rotary_emb.inv_freq": angles.clone() for block in blocks}
    added["model.vision_model.embeddings.position_ids"] = torch.arange(5)[None]
    index = folder / "model.safetensors.index.json"
    content = json.loads(index.read_text(encoding="utf-8"))
    shard = sorted(set(content["weight_map"].values()))[0]
    save_file({**load_file(folder / shard), **added}, folder / shard, metadata={"format": "pt"})
    content["weight_map"] |= dict.fromkeys(added, shard)
    index.write_text(json.dumps(content), encoding="utf-8")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    del config["rope_parameters"]
    config["torch_dtype"] = config.pop("dtype")
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")

"""transformers' own Mpt reads a released MPT-7B folder, and does what MosaicML's formulas say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModelForCausalLM, DynamicCache, MptForCausalLM, PreTrainedModel

from flamingo.model.build import build_flamingo
from flamingo.model.language_model import Host
from tests.tiny import tiny_encoder

from .mosaic_reference import logits_of, released_weights

RELEASED: dict[str, Any] = {
    "architectures": ["MPTForCausalLM"],
    "attn_config": {
        "alibi": True,
        "alibi_bias_max": 8,
        "attn_impl": "torch",
        "attn_pdrop": 0,
        "attn_type": "multihead_attention",
        "attn_uses_sequence_id": False,
        "clip_qkv": None,
        "prefix_lm": False,
        "qk_ln": False,
        "softmax_scale": None,
    },
    "auto_map": {
        "AutoConfig": "configuration_mpt.MPTConfig",
        "AutoModelForCausalLM": "modeling_mpt.MPTForCausalLM",
    },
    "d_model": 32,
    "emb_pdrop": 0,
    "embedding_fraction": 1.0,
    "expansion_ratio": 4,
    "init_config": {
        "emb_init_std": None,
        "emb_init_uniform_lim": None,
        "fan_mode": "fan_in",
        "init_div_is_residual": True,
        "init_gain": 0,
        "init_nonlinearity": "relu",
        "init_std": 0.02,
        "name": "kaiming_normal_",
        "verbose": 0,
    },
    "init_device": "cpu",
    "learned_pos_emb": True,
    "logit_scale": None,
    "max_seq_len": 24,
    "model_type": "mpt",
    "n_heads": 4,
    "n_layers": 3,
    "no_bias": True,
    "norm_type": "low_precision_layernorm",
    "resid_pdrop": 0,
    "tokenizer_name": "EleutherAI/gpt-neox-20b",
    "torch_dtype": "float32",
    "transformers_version": "4.28.1",
    "use_cache": False,
    "verbose": 0,
    "vocab_size": 50,
}
"""A small config.json in the layout of the released one, as far as that is remembered."""

NAMES = {
    "ln_1": "norm_1",
    "ln_2": "norm_2",
    "mlp.mlp_up": "ffn.up_proj",
    "mlp.mlp_down": "ffn.down_proj",
    "ln_f": "norm_f",
}
"""What MosaicGPT's parts are called in MPT."""
CLOSE = {"atol": 1e-5, "rtol": 1e-5}


def renamed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    found = {}
    for name, weight in weights.items():
        for old, new in NAMES.items():
            name = name.replace(f".{old}.", f".{new}.")
        found[name] = weight
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(RELEASED))
    weights = renamed(released_weights(attn_qk_ln=False))
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    return tmp_path


@pytest.fixture
def model(folder: Path) -> PreTrainedModel:
    found: PreTrainedModel = AutoModelForCausalLM.from_pretrained(folder)
    return found.eval()


def test_the_released_names_are_its_own(folder: Path, tmp_path: Path) -> None:
    model, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert type(model) is MptForCausalLM
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert model.lm_head.weight is model.transformer.wte.weight
    model.save_pretrained(tmp_path / "again")
    written = load_file(tmp_path / "again" / "model.safetensors")
    assert written.keys() == load_file(folder / "model.safetensors").keys()
    host = Host.of(model)
    assert host.is_tied
    assert len(host.layers) == RELEASED["n_layers"]


@torch.no_grad()
def test_logits_are_what_the_formulas_say_and_padding_changes_none(model: PreTrainedModel) -> None:
    weights = released_weights(attn_qk_ln=False)
    ids = torch.randint(3, 50, (2, 12), generator=torch.Generator().manual_seed(0))
    whole = logits_of(weights, ids, torch.ones_like(ids), attn_qk_ln=False)
    torch.testing.assert_close(model(ids).logits, whole, **CLOSE)
    for pads, kept in ((0, slice(5, None)), (1, slice(None, 12))):
        pad = torch.full((2, 5), 2)
        wide = torch.cat([pad, ids] if pads == 0 else [ids, pad], 1)
        mask = torch.zeros_like(wide)
        mask[:, kept] = 1
        found = model(wide, attention_mask=mask).logits
        torch.testing.assert_close(found[:, kept], whole, **CLOSE)
        cache = DynamicCache(config=model.config)
        steps = [(0, 7), *((i, i + 1) for i in range(7, 17))]
        logits = [
            model(
                wide[:, i:j], attention_mask=mask[:, :j], past_key_values=cache, use_cache=True
            ).logits
            for i, j in steps
        ]
        torch.testing.assert_close(torch.cat(logits, 1)[:, kept], whole, **CLOSE)


@torch.no_grad()
def test_alone_it_reads_everything_for_each_token_but_not_in_a_flamingo(
    model: PreTrainedModel,
) -> None:
    lengths: list[int] = []
    model.transformer.wte.register_forward_hook(
        lambda _, args, __: lengths.append(args[0].shape[1])
    )
    ids = torch.tensor([[5, 6, 7]])
    settings = {"max_new_tokens": 3, "eos_token_id": None, "do_sample": False, "pad_token_id": 2}
    slow = model.generate(ids, **settings)
    assert lengths == [3, 4, 5]
    assert torch.equal(slow, model.generate(ids, use_cache=True, **settings))
    assert torch.equal(
        slow, model.generate(ids, cache_implementation="static", use_cache=True, **settings)
    )
    flamingo = build_flamingo(
        model, tiny_encoder(), eoc_token_id=50, pad_token_id=2, num_latents=4, resampler_layers=1,
        resampler_heads=2, resampler_head_dim=8,
    )  # fmt: skip
    del lengths[:]
    assert torch.equal(slow, flamingo.generate(ids, suppress_tokens=[50], **settings))
    assert lengths == [3, 1, 1]

"""Tiny random language models, one per family that the bridge is proved on."""

from __future__ import annotations

from collections.abc import Callable

import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma3TextConfig,
    Gemma4TextConfig,
    GPT2Config,
    GPTNeoXConfig,
    Lfm2Config,
    LlamaConfig,
    MptConfig,
    OPTConfig,
    PreTrainedConfig,
    PreTrainedModel,
    Qwen3_5TextConfig,
    Qwen3Config,
)

from flamingo.model.language_models.mosaic_gpt_config import MosaicGPTConfig

VOCABULARY = 50
DIM = 32
COMMON = {"vocab_size": VOCABULARY, "hidden_size": DIM, "num_hidden_layers": 4}
IDS = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}


def _llama() -> PreTrainedConfig:
    return LlamaConfig(
        **COMMON, **IDS, intermediate_size=64, num_attention_heads=4, num_key_value_heads=2
    )


def _qwen() -> PreTrainedConfig:
    return Qwen3Config(
        **COMMON, **IDS, intermediate_size=64, num_attention_heads=4, num_key_value_heads=2,
        head_dim=8, tie_word_embeddings=True,
    )  # fmt: skip


def _gpt_neox() -> PreTrainedConfig:
    return GPTNeoXConfig(**COMMON, **IDS, intermediate_size=64, num_attention_heads=4)


def _opt() -> PreTrainedConfig:
    return OPTConfig(
        **COMMON, **IDS, ffn_dim=64, num_attention_heads=4, word_embed_proj_dim=DIM, dropout=0.1
    )


def _mpt() -> PreTrainedConfig:
    return MptConfig(vocab_size=VOCABULARY, d_model=DIM, n_layers=4, n_heads=4, **IDS)


def _mosaic_gpt() -> PreTrainedConfig:
    return MosaicGPTConfig(vocab_size=VOCABULARY, d_model=DIM, n_layers=4, n_heads=4, **IDS)


def _gpt2() -> PreTrainedConfig:
    return GPT2Config(vocab_size=VOCABULARY, n_embd=DIM, n_layer=4, n_head=4, **IDS)


def _gemma() -> PreTrainedConfig:
    return Gemma3TextConfig(
        **COMMON, **IDS, intermediate_size=64, num_attention_heads=4, num_key_value_heads=2,
        head_dim=8, sliding_window=16, final_logit_softcapping=30.0,
    )  # fmt: skip


def _qwen3_5() -> PreTrainedConfig:
    return Qwen3_5TextConfig(
        **COMMON, **IDS, intermediate_size=64, num_attention_heads=4, num_key_value_heads=2,
        head_dim=8, linear_num_key_heads=2, linear_num_value_heads=4, linear_key_head_dim=8,
        linear_value_head_dim=8,
    )  # fmt: skip


def _gemma4() -> PreTrainedConfig:
    return Gemma4TextConfig(
        **COMMON, **IDS, intermediate_size=64, num_attention_heads=4, num_key_value_heads=2,
        head_dim=8, global_head_dim=8, sliding_window=16, hidden_size_per_layer_input=0,
        num_kv_shared_layers=0,
    )  # fmt: skip


def _lfm2() -> PreTrainedConfig:
    return Lfm2Config(
        **COMMON, **IDS, intermediate_size=64, num_attention_heads=4, num_key_value_heads=4,
        layer_types=["conv", "full_attention"] * 2, block_auto_adjust_ff_dim=False,
    )  # fmt: skip


FAMILIES: dict[str, Callable[[], PreTrainedConfig]] = {
    "llama": _llama,
    "qwen3": _qwen,
    "gpt_neox": _gpt_neox,
    "opt": _opt,
    "mpt": _mpt,
    "mosaic-gpt": _mosaic_gpt,
    "gpt2": _gpt2,
    "gemma3": _gemma,
    "qwen3_5": _qwen3_5,
    "gemma4": _gemma4,
    "lfm2": _lfm2,
}


def tiny_lm(family: str, dtype: torch.dtype = torch.float32, seed: int = 0) -> PreTrainedModel:
    """A language model of `family` with 4 layers of width 32 and 50 tokens."""
    torch.manual_seed(seed)
    model: PreTrainedModel = AutoModelForCausalLM.from_config(FAMILIES[family]())
    for parameter in model.parameters():
        # The default spread of 0.02 makes every model of this size nearly constant.
        with torch.no_grad():
            parameter.add_(torch.randn_like(parameter) * 0.15)
    return model.to(dtype).eval()

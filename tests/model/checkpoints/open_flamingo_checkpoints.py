"""Small random OpenFlamingo checkpoints in the published layout, beside the models they need."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Generator, Tensor
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPVisionConfig,
    CLIPVisionModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MptConfig,
    MptForCausalLM,
    OPTConfig,
    OPTForCausalLM,
    PreTrainedModel,
)

from tests.data.tokenizers_for_tests import byte_level_bpe
from tests.model.checkpoints.open_flamingo_reference import FAMILIES, HEAD_DIM, HEADS
from tests.model.checkpoints.parity_prompts import SIZE
from tests.model.checkpoints.random_weights import drawn, randomize

DIM, WIDTH, LATENTS, RESAMPLER_LAYERS = 48, 32, 5, 2
NUM_TOKENS = 264
"""Entries of the tokenizer; <|endofchunk|>, <image> and <PAD> come behind them."""
EOC, IMAGE, PAD, ROWS = NUM_TOKENS, NUM_TOKENS + 1, NUM_TOKENS + 2, NUM_TOKENS + 3
END_OF_TEXT = NUM_TOKENS - 1
PADDED_VOCABULARY = 288

RELEASED: dict[str, dict[str, Any]] = {
    "3B": {"family": "mosaic_gpt", "every": 1, "layers": 3},
    "4B": {"family": "gpt_neox", "every": 2, "layers": 4},
    "4B with its head": {"family": "gpt_neox", "every": 2, "layers": 4, "with_head": True},
    "9B": {"family": "mpt", "every": 4, "layers": 8},
    "9B with its head": {"family": "mpt", "every": 2, "layers": 4, "with_head": True},
    "v1": {"family": "llama", "every": 4, "layers": 8},
    "v1 with its head": {
        "family": "llama",
        "every": 2,
        "layers": 4,
        "with_head": True,
        "vocabulary": NUM_TOKENS,
    },
    "OPT": {"family": "opt", "every": 1, "layers": 2, "vocabulary": NUM_TOKENS},
}
"""Settings of `write_checkpoint`, by the release that they are like in small."""

WRAPPINGS: dict[str, Callable[[str], str]] = {
    "none": lambda name: name,
    "module": lambda name: f"module.{name}",
    "fsdp": lambda name: _within(name, "_fsdp_wrapped_module."),
    "checkpointed": lambda name: _within(name, "_checkpoint_wrapped_module."),
    "all": lambda name: (
        "module." + _within(name, "_fsdp_wrapped_module._checkpoint_wrapped_module.")
    ),
}
"""What wrappers of training make of a tensor's name."""


@dataclass(frozen=True)
class Written:
    """A checkpoint on disk and what is in it.

    Attributes:
        folder: holds `checkpoint.pt`.
        language_model: folder of the language model, its tokenizer beside it.
        vision_encoder: folder of the CLIP model.
        weights: the tensors under their published names, without wrappers and doubles.
        family: of the language model, one of `FAMILIES`.
        every: a gated block stands before layer i where (i + 1) % every is 0.
    """

    folder: Path
    language_model: Path
    vision_encoder: Path
    weights: dict[str, Tensor]
    family: str
    every: int


def write_checkpoint(
    root: Path,
    *,
    family: str,
    every: int,
    layers: int,
    with_head: bool = False,
    vocabulary: int = PADDED_VOCABULARY,
    wrapping: str = "none",
    is_training_state: bool = False,
    with_doubles: bool = False,
    seed: int = 0,
) -> Written:
    """Writes a checkpoint and, in folders beside it, its language model and vision encoder.

    Args:
        root: a folder to write into.
        family: of the language model.
        every: distance of gated blocks.
        layers: of the language model.
        with_head: whether the checkpoint holds the output table as well.
        vocabulary: rows of the language model's own tables.
        wrapping: one of `WRAPPINGS`.
        is_training_state: whether the tensors stand in "model_state_dict", beside an epoch.
        with_doubles: whether tensors are there that older saves held as well: gated blocks under a
            second name, the frozen layers, the vision encoder.
        seed: of all weights.
    """
    generator = torch.Generator().manual_seed(seed)
    written = Written(
        root / "checkpoint",
        root / "language_model",
        root / "clip",
        _trained(family, every, layers, generator),
        family,
        every,
    )
    frozen = write_language_model(written.language_model, family, layers, vocabulary, generator)
    write_clip(written.vision_encoder, generator, has_both_towers=family in ("mpt", "mosaic_gpt"))
    if with_head:
        name, table = FAMILIES[family].head, f"lang_encoder.{FAMILIES[family].table}.weight"
        is_tied = family not in ("gpt_neox", "llama")
        head = written.weights[table] if is_tied else drawn("head", (ROWS, DIM), generator)
        written.weights[f"lang_encoder.{name}.weight"] = head
    saved = dict(written.weights)
    if with_doubles:
        saved |= _doubles(written, frozen, generator)
    saved = {WRAPPINGS[wrapping](name): value for name, value in saved.items()}
    content: dict[str, Any] = saved
    if is_training_state:
        content = {
            "epoch": 3,
            "model_state_dict": saved,
            "optimizer_state_dict": {"state": {}, "param_groups": [{"lr": 1e-4, "params": [0]}]},
            "lr_scheduler_state_dict": {"last_epoch": 7},
        }
    written.folder.mkdir()
    torch.save(content, written.folder / "checkpoint.pt")
    return written


def _trained(family: str, every: int, layers: int, generator: Generator) -> dict[str, Tensor]:
    """The tensors that a release holds."""
    places = FAMILIES[family]
    shapes = {f"perceiver.{name}": shape for name, shape in _resampler().items()}
    for layer in range(every - 1, layers, every):
        prefix = f"lang_encoder.{places.layers}.{layer}.gated_cross_attn_layer."
        shapes |= {prefix + name: shape for name, shape in _gated_block().items()}
    shapes[f"lang_encoder.{places.table}.weight"] = (ROWS, DIM)
    return {name: drawn(name, shape, generator) for name, shape in shapes.items()}


def _resampler() -> dict[str, tuple[int, ...]]:
    inner = HEADS * HEAD_DIM
    shapes: dict[str, tuple[int, ...]] = {"latents": (LATENTS, WIDTH), **_norm("norm", WIDTH)}
    for layer in range(RESAMPLER_LAYERS):
        look = f"layers.{layer}.0"
        shapes |= {**_norm(f"{look}.norm_media", WIDTH), **_norm(f"{look}.norm_latents", WIDTH)}
        shapes |= {
            f"{look}.to_q.weight": (inner, WIDTH),
            f"{look}.to_kv.weight": (2 * inner, WIDTH),
            f"{look}.to_out.weight": (WIDTH, inner),
        }
        shapes |= _feed_forward(f"layers.{layer}.1", WIDTH)
    return shapes


def _gated_block() -> dict[str, tuple[int, ...]]:
    inner = HEADS * HEAD_DIM
    return {
        "attn_gate": (1,),
        "ff_gate": (1,),
        **_norm("attn.norm", DIM),
        "attn.to_q.weight": (inner, DIM),
        "attn.to_kv.weight": (2 * inner, WIDTH),
        "attn.to_out.weight": (DIM, inner),
        **_feed_forward("ff", DIM),
    }


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _feed_forward(name: str, width: int) -> dict[str, tuple[int, ...]]:
    hidden = {f"{name}.1.weight": (4 * width, width), f"{name}.3.weight": (width, 4 * width)}
    return {**_norm(f"{name}.0", width), **hidden}


def write_language_model(
    folder: Path, family: str, layers: int, vocabulary: int, generator: Generator
) -> dict[str, Tensor]:
    """A language model and its tokenizer; gives its weights."""
    tokenizer = byte_level_bpe()
    assert len(tokenizer) == NUM_TOKENS
    if family == "mosaic_gpt":
        weights = _write_mosaic_gpt(folder, layers, vocabulary, generator)
    else:
        model = _stock(family, layers, vocabulary).eval()
        randomize(model.named_parameters(), generator)
        model.save_pretrained(folder)
        weights = model.state_dict()
    tokenizer.save_pretrained(folder)
    return weights


def _stock(family: str, layers: int, vocabulary: int) -> PreTrainedModel:
    settings: dict[str, Any] = {
        "vocab_size": vocabulary,
        "bos_token_id": END_OF_TEXT,
        "eos_token_id": END_OF_TEXT,
        "pad_token_id": None,
    }
    if family == "mpt":
        return MptForCausalLM(
            MptConfig(d_model=DIM, n_layers=layers, n_heads=4, max_seq_len=64, **settings)
        )
    settings |= {"hidden_size": DIM, "num_hidden_layers": layers, "num_attention_heads": 4}
    if family == "gpt_neox":
        rotary = {"rotary_pct": 1.0, "use_parallel_residual": False}
        return GPTNeoXForCausalLM(GPTNeoXConfig(intermediate_size=80, **rotary, **settings))
    if family == "llama":
        return LlamaForCausalLM(LlamaConfig(intermediate_size=64, **settings))
    return OPTForCausalLM(OPTConfig(ffn_dim=64, word_embed_proj_dim=DIM, **settings))


def _write_mosaic_gpt(
    folder: Path, layers: int, vocabulary: int, generator: Generator
) -> dict[str, Tensor]:
    """What was published as remote code: no class of transformers writes it."""
    shapes: dict[str, tuple[int, ...]] = {
        "transformer.wte.weight": (vocabulary, DIM),
        "transformer.ln_f.weight": (DIM,),
    }
    for layer in range(layers):
        prefix = f"transformer.blocks.{layer}."
        shapes |= {
            f"{prefix}{name}.weight": (DIM,) for name in ("ln_1", "attn.q_ln", "attn.k_ln", "ln_2")
        }
        shapes |= {
            f"{prefix}attn.Wqkv.weight": (3 * DIM, DIM),
            f"{prefix}attn.out_proj.weight": (DIM, DIM),
            f"{prefix}mlp.mlp_up.weight": (4 * DIM, DIM),
            f"{prefix}mlp.mlp_down.weight": (DIM, 4 * DIM),
        }
    weights = {name: drawn(name, shape, generator) for name, shape in shapes.items()}
    config = {
        "architectures": ["MosaicGPT"],
        "model_type": "mosaic_gpt",
        "alibi": True,
        "alibi_bias_max": 8,
        "attn_clip_qkv": None,
        "attn_impl": "torch",
        "attn_pdrop": 0,
        "attn_qk_ln": True,
        "d_model": DIM,
        "low_precision_layernorm": True,
        "max_seq_len": 64,
        "mlp_ratio": 4,
        "n_heads": 4,
        "n_layers": layers,
        "no_bias": True,
        "softmax_scale": None,
        "torch_dtype": "float32",
        "use_cache": False,
        "vocab_size": vocabulary,
    }
    folder.mkdir()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    return weights


def write_clip(folder: Path, generator: Generator, *, has_both_towers: bool) -> None:
    """A vision tower as OpenAI's: alone, or beside its text tower."""
    vision = {
        "hidden_size": WIDTH,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "image_size": SIZE,
        "patch_size": 14,
        "hidden_act": "quick_gelu",
    }
    model: PreTrainedModel = CLIPVisionModel(CLIPVisionConfig(**vision))
    if has_both_towers:
        text = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
        text |= {"num_attention_heads": 2, "vocab_size": 30}
        text |= {"bos_token_id": 1, "eos_token_id": 2}
        model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8))
    randomize(model.named_parameters(), generator)
    model.save_pretrained(folder)


def _within(name: str, wrapper: str) -> str:
    """The name where the resampler, the language model and each gated block were wrapped."""
    for wrapped in ("perceiver.", "lang_encoder.", ".gated_cross_attn_layer."):
        name = name.replace(wrapped, wrapped + wrapper)
    return name


def _doubles(
    written: Written, frozen: dict[str, Tensor], generator: Generator
) -> dict[str, Tensor]:
    """What the first saves held beside the trained tensors."""
    layers = FAMILIES[written.family].layers + "."
    blocks = {
        "lang_encoder.gated_cross_attn_layers."
        + name.removeprefix(f"lang_encoder.{layers}").replace("gated_cross_attn_layer.", ""): value
        for name, value in written.weights.items()
        if "gated_cross_attn_layer" in name
    }
    old = {
        f"lang_encoder.old_decoder_blocks.{name.removeprefix(layers)}": value
        for name, value in frozen.items()
        if name.startswith(layers)
    }
    assert blocks, old
    vision = {
        "vision_encoder.class_embedding": (WIDTH,),
        "vision_encoder.conv1.weight": (WIDTH, 3, 14, 14),
        "vision_encoder.transformer.resblocks.0.attn.in_proj_weight": (3 * WIDTH, WIDTH),
    }
    return {**blocks, **old, **{name: drawn(name, s, generator) for name, s in vision.items()}}

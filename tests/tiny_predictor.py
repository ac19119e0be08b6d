"""A tiny random model with a real tokenizer, as users hold it: a `Predictor`."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerBase

from flamingo import FlamingoImageProcessor, FlamingoProcessor, Predictor, build_flamingo
from flamingo.miniature.tokenizer import build_tokenizer
from tests.tiny import SIZE, randomize, tiny_encoder


def tiny_predictor(tokenizer: PreTrainedTokenizerBase | None = None, **settings: Any) -> Predictor:
    """Open gates, random weights, the miniature's tokenizer.

    Args:
        tokenizer: another one.
        settings: of the processor.
    """
    torch.manual_seed(0)
    tokenizer = build_tokenizer() if tokenizer is None else tokenizer
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        intermediate_size=64,
        num_attention_heads=4,
        num_key_value_heads=4,
        initializer_range=0.2,
    )
    processor = FlamingoProcessor(FlamingoImageProcessor(SIZE), tokenizer, **settings)
    ids = processor.encoder().prepared.ids
    model = build_flamingo(
        AutoModelForCausalLM.from_config(config),
        tiny_encoder(),
        image_token_id=ids.image[0],
        eoc_token_id=ids.eoc,
        eos_token_id=ids.eos,
        pad_token_id=ids.pad,
        num_latents=4,
        resampler_layers=1,
        resampler_heads=2,
        resampler_head_dim=8,
    )
    randomize(model)
    return Predictor(model, processor)

"""What a device can do at most, and what decoding must read at least."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch

from flamingo.model.flamingo import FlamingoForConditionalGeneration


def bandwidth(device: str, extent: int, rounds: int) -> float:
    """Bytes per second that a large copy reads and writes."""
    source = torch.empty(8, extent, extent, dtype=torch.bfloat16, device=device)
    target = torch.empty_like(source)
    seconds = seconds_of(lambda: target.copy_(source), device, rounds)
    return 2 * source.numel() * source.element_size() / median(seconds)


def peak_flops(device: str, extent: int, rounds: int) -> float:
    """FLOP per second of a large product of matrices in bf16."""
    one = torch.randn(extent, extent, device=device).to(torch.bfloat16)
    return 2 * extent**3 / median(seconds_of(lambda: one @ one, device, rounds))


def decode_bytes(model: FlamingoForConditionalGeneration, tokens: int) -> int:
    """What decoding one token must read at least: weights, and what is kept of the text.

    Left out are the vision encoder, the resampler, an input embedding that is no output head too,
    and what makes keys and values of visuals: all done before, or a single row.
    """
    text: Any = model.config.get_text_config()
    parameters = dict(model.language_model.named_parameters())
    if not model.host.is_tied:
        embedding = model.host.embedding.weight
        parameters = {name: own for name, own in parameters.items() if own is not embedding}
    weights = list(parameters.values())
    for name, own in model.gated_xattn_dense.named_parameters():
        if not any(part in name for part in ("to_keys", "to_values", "visual_norm")):
            weights.append(own)
    size = weights[0].element_size()
    head_dim = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    kept = 2 * text.num_hidden_layers * text.num_key_value_heads * head_dim * tokens * size
    return sum(own.numel() * own.element_size() for own in weights) + kept


def seconds_of(work: Callable[[], object], device: str, rounds: int) -> list[float]:
    """Of so many runs, after one that is not counted."""
    found: list[float] = []
    for _ in range(rounds + 1):
        _wait(device)
        start = time.perf_counter()
        work()
        _wait(device)
        found.append(time.perf_counter() - start)
    return found[1:]


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()

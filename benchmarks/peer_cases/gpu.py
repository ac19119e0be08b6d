"""How near a GPU's limits the paper's models come: bandwidth in decoding, FLOP/s in prefill."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.case_records import Case
from benchmarks.gpu_limits import bandwidth, decode_bytes, peak_flops, seconds_of
from benchmarks.peer_cases.decoding import decoding
from benchmarks.peers import Peers, Scale
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.presets.from_preset import build_preset
from flamingo.presets.models import model_preset

PRESETS = ("flamingo-3b", "flamingo-9b")
Build = Callable[[], FlamingoForConditionalGeneration]
WAYS: Mapping[str, Mapping[str, Any]] = {
    "growing cache": {},
    "static cache, compiled": {"cache_implementation": "static"},
}
"""How tokens are decoded; `generate` compiles by itself where the cache is static."""


def measure(peers: Peers, rounds: int) -> list[Case]:
    """All presets, or nothing where there is no GPU."""
    if not torch.cuda.is_available():
        print("gpu: there is no CUDA device here, so this case is left out.", file=sys.stderr)
        return []
    models: dict[str, Build] = {name: partial(_preset, name) for name in PRESETS}
    return measure_models(models, peers.scale, rounds, device="cuda")


def measure_models(
    models: Mapping[str, Build], scale: Scale, rounds: int, *, device: str, extent: int = 8_192
) -> list[Case]:
    """Decoding at batch 1 and prefill of a batch, for each of the models.

    Args:
        models: what builds them; one is held at a time.
        scale: of the prompts.
        rounds: of each measurement.
        device: where all of it runs.
        extent: side of the matrices that the limits are measured with.
    """
    bytes_per_second = bandwidth(device, extent, rounds)
    flops_per_second = peak_flops(device, extent, rounds)
    cases = []
    for name, build in models.items():
        model = build()
        cases += [
            _decode_case(name, model, scale, rounds, bytes_per_second, device),
            _prefill_case(name, model, scale, rounds, flops_per_second, device),
        ]
    return cases


def _decode_case(
    name: str,
    model: FlamingoForConditionalGeneration,
    scale: Scale,
    rounds: int,
    bytes_per_second: float,
    device: str,
) -> Case:
    inputs = _inputs(model, scale, 1, device)
    floor = decode_bytes(model, inputs["input_ids"].shape[1]) / bytes_per_second
    shares: dict[str, list[float]] = {}
    said = []
    for way, how in WAYS.items():
        turn = decoding(model, inputs, scale.steps, **how)
        try:
            turn()
            shares[way] = [floor / turn().wall_seconds for _ in range(rounds)]
        except Exception as error:  # the other way still has its number
            said.append(f"{way}: failed ({type(error).__name__}: {str(error)[:200]})")
            continue
        said.append(f"{way}: {median(shares[way]):.2f}")
    if not shares:
        raise RuntimeError(f"{name} cannot decode here. {' '.join(said)}")
    best = max(shares.values(), key=median)
    share = median(best)
    return Case(
        f"gpu/{name}/decode", share, 0.6, (min(best), max(best)),
        f"{name} in bf16, a token at batch 1 after {scale.shots} shots: share of what the "
        "memory's bandwidth allows",
        ours=1_000 * floor / share, peer=1_000 * floor, unit="ms per token",
        against=f"reading all weights at {bytes_per_second / 1e9:,.0f} GB/s", rounds=rounds,
        note=f"{'; '.join(said)}.",
    )  # fmt: skip


def _prefill_case(
    name: str,
    model: FlamingoForConditionalGeneration,
    scale: Scale,
    rounds: int,
    flops_per_second: float,
    device: str,
) -> Case:
    inputs = _inputs(model, scale, scale.batch, device)

    def read() -> None:
        with torch.inference_mode():
            model(**inputs, use_cache=True, logits_to_keep=1)

    with FlopCounterMode(display=False) as counter:
        read()
    floor = counter.get_total_flops() / flops_per_second
    shares = [floor / seconds for seconds in seconds_of(read, device, rounds)]
    share = median(shares)
    return Case(
        f"gpu/{name}/prefill", share, 0.45, (min(shares), max(shares)),
        f"{name} in bf16, prefill of {scale.batch} prompts of {scale.shots} shots from their "
        "visual tokens: share of peak FLOP/s",
        ours=1_000 * floor / share, peer=1_000 * floor, unit="ms",
        against=f"a product of matrices at {flops_per_second / 1e12:,.0f} TFLOP/s", rounds=rounds,
    )  # fmt: skip


def _inputs(
    model: FlamingoForConditionalGeneration, scale: Scale, rows: int, device: str
) -> dict[str, Tensor]:
    """Random prompts, their visuals as the resampler would give them."""
    text: Any = model.config.get_text_config()
    blocks: Any = model.gated_xattn_dense
    weight: Tensor = blocks[0].visual_norm.weight
    visuals, generator = scale.shots + 1, torch.Generator().manual_seed(0)
    tokens = visuals * scale.tokens_per_shot
    ids = torch.randint(4, text.vocab_size - 2, (rows, tokens), generator=generator)
    index = torch.arange(1, visuals + 1).repeat_interleave(scale.tokens_per_shot)
    shape = (rows, visuals, model.config.num_latents, weight.shape[0])
    inputs = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "visual_index": index.expand(rows, -1).contiguous(),
        "visual_tokens": torch.randn(shape, generator=generator).to(weight.dtype),
    }
    return {name: value.to(device) for name, value in inputs.items()}


def _preset(name: str) -> FlamingoForConditionalGeneration:
    model = build_preset(model_preset(name), device="cuda").to(torch.bfloat16)
    model.generation_config.eos_token_id = None
    return model.eval().requires_grad_(False)

"""A training step of flamingo-3b in bf16 on a GPU: MFU and memory, with and without compilation."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.measuring import peak_bytes, store_frozen_in_bf16
from flamingo.foundation.errors import ConfigError
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.presets.from_preset import build_preset
from flamingo.presets.models import model_preset
from flamingo.presets.step_cost import BatchShape, StepCost, step_cost
from flamingo.training.compilation import compile_layers
from flamingo.training.objective import next_token_loss
from flamingo.training.preparation import set_train_mode
from flamingo.training.throughput import flops_utilization, peak_flops_of_device

SHAPE = BatchShape("pages", rows=8, tokens=256, visuals=5)
"""One micro-batch of interleaved pages."""


def measure(
    *,
    repeats: int = 10,
    device: str = "cuda",
    model: FlamingoForConditionalGeneration | None = None,
    shape: BatchShape = SHAPE,
    is_compiled: tuple[bool, ...] = (False, True),
) -> dict[str, Any]:
    """Seconds, MFU and peak memory of an update, and what was planned for it.

    Raises:
        ConfigError: the device is not there.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("There is no CUDA device here. Leave --gpu out to compare on the CPU.")
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    built = model or build_preset(model_preset("flamingo-3b"), device=device)
    store_frozen_in_bf16(built)
    planned = step_cost(built, shape, shape.rows, are_gradients_held=False)
    return {
        "device": name,
        "torch": torch.__version__,
        "rows": shape.rows,
        "num_parameters": sum(p.numel() for p in built.parameters()),
        "planned_bytes": _state_bytes(built) + planned.peak,
        "runs": [
            _run(built, shape, planned, name, device, repeats, compiled) for compiled in is_compiled
        ],
    }


def report(found: dict[str, Any]) -> str:
    """The measurements, for people."""
    lines = [
        f"{found['device']}, torch {found['torch']}: {found['num_parameters']:,} parameters, "
        f"{found['rows']} rows, {found['planned_bytes'] / 2**30:.1f} GiB planned"
    ]
    for run in found["runs"]:
        mfu = "unknown" if run["mfu"] is None else f"{run['mfu']:.1%}"
        lines.append(
            f"{'compiled' if run['is_compiled'] else 'eager':<9} {run['seconds']:.4f} s a step, "
            f"{run['tokens_per_second']:,.0f} tokens/s, MFU {mfu}, "
            f"peak {run['peak_bytes'] / 2**30:.2f} GiB"
        )
    return "\n".join(lines)


def _run(
    model: FlamingoForConditionalGeneration,
    shape: BatchShape,
    planned: StepCost,
    name: str,
    device: str,
    repeats: int,
    is_compiled: bool,
) -> dict[str, Any]:
    set_train_mode(model)
    if is_compiled:
        compile_layers(model)
    step = _step(model, shape, device)
    # The first makes the optimizer's state and compiles; the second may compile once more.
    step()
    step()
    seconds = median(_seconds(step, device) for _ in range(repeats))
    flops = sum(part.forward + part.backward for part in planned.flops.values())
    peak = peak_flops_of_device(name)
    return {
        "is_compiled": is_compiled,
        "seconds": seconds,
        "tokens_per_second": shape.num_tokens / seconds,
        "mfu": None if peak is None else flops_utilization(flops, seconds, peak=peak),
        "peak_bytes": _peak(model, step, device),
    }


def _step(
    model: FlamingoForConditionalGeneration, shape: BatchShape, device: str
) -> Callable[[], None]:
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.1, fused=True)
    inputs = _inputs(model, shape, device)
    weights = torch.ones(inputs["input_ids"].shape, device=device)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(torch.device(device).type, torch.bfloat16):
            logits = model(**inputs, use_cache=False).logits
            loss = next_token_loss(logits, inputs["input_ids"], weights)
            # As in training, they are not kept while gradients are computed.
            del logits
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()

    return step


def _inputs(
    model: FlamingoForConditionalGeneration, shape: BatchShape, device: str
) -> dict[str, Tensor]:
    text: Any = model.config.get_text_config()
    size = model.vision_encoder.image_size
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(3, text.vocab_size - 2, (shape.rows, shape.tokens), generator=generator)
    index = torch.arange(shape.tokens) * shape.visuals // shape.tokens + 1
    frames = (shape.rows, shape.visuals, shape.frames)
    inputs = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "visual_index": index.expand(shape.rows, -1).contiguous(),
        "pixel_values": torch.randn(*frames, 3, size, size, generator=generator),
        "frame_mask": torch.ones(frames, dtype=torch.bool),
    }
    return {name: value.to(device) for name, value in inputs.items()}


def _seconds(step: Callable[[], None], device: str) -> float:
    _wait(device)
    start = time.perf_counter()
    step()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _peak(model: nn.Module, step: Callable[[], None], device: str) -> int:
    """Bytes that tensors take at the worst moment of a step, weights and all."""
    if device != "cuda":
        return _state_bytes(model) + peak_bytes(step)
    torch.cuda.reset_peak_memory_stats()
    step()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated()


def _state_bytes(model: nn.Module) -> int:
    """Weights, and AdamW's two moments of those that are trained."""
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    return weights + sum(8 * p.numel() for p in model.parameters() if p.requires_grad)

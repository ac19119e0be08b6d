"""Where the bytes of one GPU go while a Flamingo is trained, beside what a step itself needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.presets.step_cost import BatchShape
from flamingo.presets.step_meter import GRADIENTS

Parallel = Literal["replicate", "shard"]

GIB = 2**30
_FP32, _BF16 = 4, 2
_BYTES_PER_TOKEN = 4 * 8 + 4
"""Token id, mask, φ and label as 64-bit integers, and the weight in the loss."""


@dataclass(frozen=True)
class Item:
    """Bytes on each GPU, and what they are for."""

    name: str
    num_bytes: int


def weights(
    model: FlamingoForConditionalGeneration, num_gpus: int, parallel: Parallel
) -> list[Item]:
    """Weights and the optimizer's state, which are there all the time.

    Frozen parameters take what their format takes (2 bytes each in bf16). A trained one takes
    12 bytes: an fp32 master of 4 and AdamW's two moments of 4 each; its gradient of 4 more is
    counted by `gradients`. Sharding divides all of this by the number of GPUs, except for a
    frozen vision encoder, which stays whole everywhere.
    """
    parts = num_gpus if parallel == "shard" else 1
    encoder = list(model.vision_encoder.parameters())
    encoder_parts = parts if any(value.requires_grad for value in encoder) else 1
    frozen_rest = _frozen_bytes(model) - _frozen_bytes(model.vision_encoder)
    trained = _num_trained(model.parameters())
    items = [
        Item("vision encoder, frozen", _share(_frozen_bytes(model.vision_encoder), encoder_parts)),
        Item("language model, frozen", _share(frozen_rest, parts)),
        Item("trained weights, fp32", _share(trained * _FP32, parts)),
        Item("AdamW's two moments, fp32", _share(2 * trained * _FP32, parts)),
    ]
    return [item for item in items if item.num_bytes]


def gradients(model: FlamingoForConditionalGeneration, num_gpus: int, parallel: Parallel) -> Item:
    """Gradients in fp32, 4 bytes per trained parameter, sharded as the weights are."""
    parts = num_gpus if parallel == "shard" else 1
    return Item(GRADIENTS, _share(_num_trained(model.parameters()) * _FP32, parts))


def exchange(
    model: FlamingoForConditionalGeneration, num_gpus: int, parallel: Parallel
) -> list[Item]:
    """The copy in which replicated gradients are added up, after the last backward pass."""
    if num_gpus == 1 or parallel == "shard":
        return []
    copied = _num_trained(model.parameters()) * _FP32
    return [Item("gradients of all GPUs, being added up", copied)]


def gathered(
    model: FlamingoForConditionalGeneration, num_gpus: int, parallel: Parallel
) -> list[Item]:
    """Weights that sharding brings together in bf16, and their gradients before they are divided.

    With p the parameters of the largest layer, t those of the largest trained layer, r those
    that belong to no layer (embeddings, head, resampler) and s the trained ones among them:

        2·r + 2·s + 3·2·p + (2 + 4)·t bytes

    What belongs to no layer stays whole through the step, with a bf16 gradient at the end of it.
    Of layers there are the one that runs, the next one on its way, and the buffer that it comes
    in; of a trained one also the bf16 gradient and its fp32 copy, which is reduced.
    """
    if num_gpus == 1 or parallel == "replicate":
        return []
    layers: list[Any] = [*model.host.layers, *model.gated_xattn_dense]  # type: ignore[misc]
    inside = {id(value) for layer in layers for value in layer.parameters()}
    inside |= {id(v) for v in model.vision_encoder.parameters() if not v.requires_grad}
    rest = [value for value in model.parameters() if id(value) not in inside]
    largest = max(_num(layer.parameters()) for layer in layers)
    largest_trained = max(_num_trained(layer.parameters()) for layer in layers)
    return [
        Item("weights outside of layers, gathered", _BF16 * (_num(rest) + _num_trained(rest))),
        Item("layers on their way, gathered", 3 * _BF16 * largest),
        Item("a layer's gradient before sharding", (_BF16 + _FP32) * largest_trained),
    ]


def batch(shape: BatchShape, rows: int, image_size: int) -> Item:
    """This GPU's rows of a data set's batch: fp32 pixels, and 36 bytes per token."""
    pixels = shape.visuals * shape.frames * 3 * image_size**2 * _FP32
    return Item("the batch", rows * (pixels + shape.tokens * _BYTES_PER_TOKEN))


def reserve(gpu_memory: float) -> Item:
    """What is not planned for: 1 GiB for the driver and its libraries, and 5 % of the memory.

    The second part is for what kernels use while they run, and for the gaps that an allocator
    leaves.
    """
    return Item("reserve", int(GIB + 0.05 * gpu_memory * GIB))


def _share(num_bytes: int, parts: int) -> int:
    return -(-num_bytes // parts)


def _frozen_bytes(module: nn.Module) -> int:
    return sum(p.numel() * p.element_size() for p in module.parameters() if not p.requires_grad)


def _num(parameters: Iterable[nn.Parameter]) -> int:
    return sum(value.numel() for value in parameters)


def _num_trained(parameters: Iterable[nn.Parameter]) -> int:
    return sum(value.numel() for value in parameters if value.requires_grad)

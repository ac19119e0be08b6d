"""What one training step would compute and hold, found by running it on tensors without numbers."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.presets.parameter_table import (
    GATED_LAYERS,
    LANGUAGE_MODEL,
    RESAMPLER,
    VISION_ENCODER,
)
from flamingo.presets.step_meter import CASTS, GRADIENTS, OUTSIDE, Flops, Phase, StepMeter
from flamingo.training.compilation import checkpoint_activations
from flamingo.training.objective import next_token_loss

LM_HEAD = "output head"
LOGITS = "logits and loss"
BACKWARD = "gradients of activations"
RECOMPUTED = "activations computed again"
WEIGHT_CASTS = "bf16 copies of weights"

_aten = torch.ops.aten
_INDEXING = {
    _aten.index.Tensor,
    _aten.index_put.default,
    _aten.index_put_.default,
    _aten._index_put_impl_.default,
}

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class BatchShape:
    """The size of one data set's batch, over all processes.

    Args:
        name: of the data set.
        rows: samples per update.
        tokens: length of a row.
        visuals: images or videos per row; 0 for text alone.
        frames: frames per visual.
    """

    name: str
    rows: int
    tokens: int
    visuals: int = 1
    frames: int = 1

    @property
    def num_tokens(self) -> int:
        """Tokens per update."""
        return self.rows * self.tokens

    @property
    def num_frames(self) -> int:
        """Images and video frames per update."""
        return self.rows * self.visuals * self.frames


@dataclass(frozen=True)
class StepCost:
    """What one micro-batch costs, forward and backward.

    Attributes:
        rows: of the micro-batch.
        flops: by part of the model.
        peak: bytes alive at the worst moment, besides weights, optimizer and the batch itself.
            Gradients of trained parameters are among them unless they were held before.
        at_peak: these bytes by what they are.
    """

    rows: int
    flops: dict[str, Flops]
    peak: int
    at_peak: dict[str, int]


def step_cost(
    model: FlamingoForConditionalGeneration,
    shape: BatchShape,
    rows: int,
    *,
    precision: Precision = "bf16",
    activation_checkpointing: bool = False,
    are_gradients_held: bool = True,
    has_bf16_weights: bool = False,
) -> StepCost:
    """Runs forward and backward of one micro-batch, without memory and without arithmetic.

    The step is the real one: the model's own modules, autograd, autocast and checkpointing, on
    tensors that have a shape and a type but no contents. FLOPs are therefore exact: the frozen
    vision encoder has no backward, the frozen language model has one for activations only, and
    only down to the lowest trained part. Bytes are those of all tensors that are alive:
    weights apart, everything saved for the backward pass, temporary results, and gradients. Not
    known here: what kernels use while they run, how an allocator splits its memory, and what
    `torch.compile` would fuse away.

    Args:
        model: on any device, "meta" included; it is not changed.
        shape: of the batch; its `rows` do not matter.
        rows: of the micro-batch.
        precision: "bf16" computes in autocast, as training does.
        activation_checkpointing: whether layers compute their activations a second time.
        are_gradients_held: whether gradients of an earlier micro-batch are already there; they
            are then not counted again.
        has_bf16_weights: whether trained weights come in bf16, as sharded ones do.
    """
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    fake = _fake_copy(model, mode, has_bf16_weights)
    _set_up(fake, activation_checkpointing)
    if are_gradients_held:
        _hold_gradients(fake, mode)
    pixels = _pixels(fake, shape, rows, mode)
    meter = StepMeter(_parts(fake), _persistent(fake, pixels))
    with meter.watching(fake), _RealMasks():
        with _autocast(precision):
            loss = _loss(fake, shape, rows, pixels)
        loss.backward()
    return StepCost(rows, meter.flops, meter.peak, _by_kind(meter))


def _loss(
    model: FlamingoForConditionalGeneration, shape: BatchShape, rows: int, pixels: Tensor
) -> Tensor:
    """The loss of one micro-batch, as `FlamingoObjective` computes it."""
    # Ids, φ and masks are real, since code looks into them; what is computed from them is not.
    ids = torch.zeros(rows, shape.tokens, dtype=torch.long)
    visuals: dict[str, Tensor] = {}
    if shape.visuals:
        visuals = {
            "visual_index": _visual_index(shape, rows),
            "pixel_values": pixels,
            "frame_mask": torch.ones(pixels.shape[:3], dtype=torch.bool),
        }
    output = model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False, **visuals)
    return next_token_loss(output.logits, ids, torch.ones(ids.shape))


def _visual_index(shape: BatchShape, rows: int) -> Tensor:
    """φ of rows whose visuals stand at equal distances."""
    index = torch.arange(shape.tokens) * shape.visuals // shape.tokens + 1
    return index.expand(rows, -1).contiguous()


class _RealMasks(TorchDispatchMode):
    """Lets real masks choose from tensors without contents: by places, of which there is a number.

    How many elements a mask chooses is not known from its shape, and a tensor without contents
    would refuse to be asked.
    """

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Replaces the masks among an operation's indices."""
        if func in _INDEXING and isinstance(args[0], FakeTensor):
            indices: list[Tensor | None] = []
            for index in args[1]:
                if index is not None and index.dtype == torch.bool:
                    indices += index.nonzero(as_tuple=True)
                else:
                    indices.append(index)
            args = (args[0], indices, *args[2:])
        return func(*args, **(kwargs or {}))


def _fake_copy(
    model: FlamingoForConditionalGeneration, mode: FakeTensorMode, has_bf16_weights: bool
) -> FlamingoForConditionalGeneration:
    """The same modules with weights that take no memory; shared weights stay shared."""
    stand_ins: dict[int, Any] = {}
    with mode:
        for parameter in model.parameters():
            dtype = parameter.dtype
            if parameter.requires_grad:
                dtype = torch.bfloat16 if has_bf16_weights else torch.float32
            empty = torch.empty(parameter.shape, dtype=dtype)
            stand_ins[id(parameter)] = nn.Parameter(empty, requires_grad=parameter.requires_grad)
        for buffer in model.buffers():
            stand_ins[id(buffer)] = torch.empty(buffer.shape, dtype=buffer.dtype)
    return copy.deepcopy(model, stand_ins)


def _set_up(model: FlamingoForConditionalGeneration, activation_checkpointing: bool) -> None:
    if activation_checkpointing:
        checkpoint_activations(model)
    model.train()


def _hold_gradients(model: nn.Module, mode: FakeTensorMode) -> None:
    with mode:
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.grad = torch.empty_like(parameter)


def _pixels(
    model: FlamingoForConditionalGeneration, shape: BatchShape, rows: int, mode: FakeTensorMode
) -> Tensor:
    size = model.vision_encoder.image_size
    with mode:
        return torch.empty(rows, shape.visuals, shape.frames, 3, size, size)


def _parts(model: FlamingoForConditionalGeneration) -> dict[str, list[nn.Module]]:
    """Modules by part; a layer of each list is told apart, for the backward pass as well."""
    blocks: Any = model.gated_xattn_dense
    return {
        LANGUAGE_MODEL: [model, *model.host.layers],
        GATED_LAYERS: [*blocks],
        RESAMPLER: [model.resampler, model.widen],
        VISION_ENCODER: [model.vision_encoder],
        LM_HEAD: [model.host.head],
    }


def _persistent(model: nn.Module, pixels: Tensor) -> Iterable[Tensor]:
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    return [*model.parameters(), *model.buffers(), *gradients, pixels]


def _autocast(precision: Precision) -> AbstractContextManager[Any]:
    # Fake tensors pretend to be on the CPU, the one device that every build of torch has.
    return torch.autocast("cpu", torch.bfloat16) if precision == "bf16" else nullcontext()


def _by_kind(meter: StepMeter) -> dict[str, int]:
    kinds: dict[str, int] = {}
    for (part, phase), size in meter.at_peak.items():
        kind = _kind(part, phase)
        kinds[kind] = kinds.get(kind, 0) + size
    return {kind: size for kind, size in kinds.items() if size}


def _kind(part: str, phase: Phase) -> str:
    if part == GRADIENTS:
        return GRADIENTS
    if part == CASTS:
        return WEIGHT_CASTS
    if part in (OUTSIDE, LM_HEAD):
        return LOGITS
    if phase != "forward":
        return BACKWARD if phase == "backward" else RECOMPUTED
    return f"activations of the {part}"

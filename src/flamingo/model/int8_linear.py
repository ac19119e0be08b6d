"""A linear layer whose weight is kept as 8-bit integers, one scale for each of its rows."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int8
from torch import Tensor, nn
from torch.nn import functional as F

LARGEST = 127

_MAX_KERNEL_ROWS = 8
"""Torch's int8 kernel for CPUs wins up to some 12 rows; more are faster with the weight widened."""

_KERNEL_STEP = 16
"""Numbers that the kernel loads at once, without asking whether they are there."""

_KERNEL_ALIGNMENT = 32
"""Bytes; it ends the process on an address between."""


class Int8Linear(nn.Linear):
    """Computes what `nn.Linear` computes, with a weight in a quarter of fp32's memory.

    What it reads, returns and adds up stays in the number format of the model. It is made of an
    `nn.Linear` by `quantize_`, and cannot be trained; gradients do pass through it.
    """

    quantized: Int8[Tensor, "out_features in_features"]
    scale: Float[Tensor, " out_features"]

    @staticmethod
    def quantize_(linear: nn.Linear) -> Int8Linear:
        """Turns `linear` into this: the same object, so its hooks and who else holds it stay."""
        quantized, scale = quantize_rows(linear.weight.detach())
        del linear.weight
        linear.__class__ = Int8Linear
        assert isinstance(linear, Int8Linear)
        linear.register_buffer("quantized", quantized)
        linear.register_buffer("scale", scale)
        return linear

    @property
    def weight(self) -> Tensor:  # type: ignore[override]
        """The weight as the integers have it, made anew."""
        return self.quantized.to(self.scale.dtype) * self.scale[:, None]

    def forward(self, input: Float[Tensor, "*rows in_features"]) -> Float[Tensor, "*rows out"]:
        """The product with the weight, and the bias added."""
        if self._is_for_kernel(input):
            rows = input.reshape(-1, self.in_features)
            output = torch.ops.aten._weight_int8pack_mm(rows, self.quantized, self.scale)
            output = output.view(*input.shape[:-1], self.out_features)
            return output if self.bias is None else output + self.bias
        if input.dtype is torch.float16:
            # Sums of unscaled integers exceed the 65504 of this format.
            return F.linear(input, self.weight, self.bias)
        # Scaling the output instead: there are fewer numbers in it than in the weight.
        output = F.linear(input, self.quantized.to(input.dtype))
        scale = self.scale.to(input.dtype)
        return output * scale if self.bias is None else torch.addcmul(self.bias, output, scale)

    def _is_for_kernel(self, input: Tensor) -> bool:
        """Whether torch's int8 kernel is faster here and safe: it checks none of this itself."""
        return (
            # What is traced has no addresses that could be looked at.
            not torch.compiler.is_dynamo_compiling()
            and input.device.type == "cpu"
            and input.dtype is torch.bfloat16
            and self.scale.dtype is torch.bfloat16
            and not input.requires_grad
            and 0 < input.numel() <= _MAX_KERNEL_ROWS * self.in_features
            and self.in_features % _KERNEL_STEP == 0
            and input.is_contiguous()
            and _is_aligned(input)
            and _is_aligned(self.quantized)
        )


def quantize_rows(
    weight: Float[Tensor, "out_features in_features"],
) -> tuple[Int8[Tensor, "out_features in_features"], Float[Tensor, " out_features"]]:
    """The integers and the scale of each row; the scale has the number format of the weight.

    Rounding to the nearest, so no number is off by more than half of its row's scale.
    """
    wide = weight.float()
    scale = (wide.abs().amax(dim=1) / LARGEST).to(weight.dtype)
    scale = torch.where(scale == 0, torch.ones_like(scale), scale)
    # By the scale as it is stored: its own rounding then costs nothing.
    steps = (wide / scale.float()[:, None]).round_().clamp_(-LARGEST, LARGEST)
    return steps.to(torch.int8), scale


def _is_aligned(tensor: Tensor) -> bool:
    return tensor.data_ptr() % _KERNEL_ALIGNMENT == 0

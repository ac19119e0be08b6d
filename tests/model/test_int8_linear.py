"""A linear layer in 8-bit integers computes nearly what it computed before."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from flamingo.model.int8_linear import Int8Linear, quantize_rows

FORMATS = [torch.float32, torch.bfloat16, torch.float16]


def linear(
    in_features: int = 64, out_features: int = 24, dtype: torch.dtype = torch.float32
) -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(in_features, out_features).to(dtype)


def error(output: Tensor, right: Tensor) -> float:
    output, right = output.detach().float(), right.detach().float()
    return float((output - right).norm() / right.norm())


class _Operations(TorchDispatchMode):
    """Notes the names of torch's operations."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


def uses_kernel(layer: nn.Module, given: Tensor) -> bool:
    with _Operations() as operations, torch.no_grad():
        layer(given)
    return any("int8pack" in name for name in operations.names)


@given(st.sampled_from(FORMATS), st.integers(1, 9), st.integers(1, 40), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_no_number_is_off_by_more_than_half_a_step(
    dtype: torch.dtype, rows: int, columns: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    spread = torch.rand(rows, 1, generator=generator) * 2
    weight = (torch.randn(rows, columns, generator=generator) * spread).to(dtype)
    integers, scale = quantize_rows(weight)
    assert scale.dtype is dtype
    off = (integers.float() * scale.float()[:, None] - weight.float()).abs()
    assert bool((off <= scale.float()[:, None] * 0.5001).all())


def test_a_row_of_zeros_stays_one() -> None:
    integers, scale = quantize_rows(torch.zeros(2, 5))
    assert not integers.any()
    assert bool(scale.isfinite().all())


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_weight_is_off_by_less_than_one_percent(dtype: torch.dtype) -> None:
    weight = torch.randn(64, 512).to(dtype)
    plain = nn.Linear(512, 64, dtype=dtype)
    with torch.no_grad():
        plain.weight.copy_(weight)
    assert error(Int8Linear.quantize_(plain).weight, weight) < 0.01


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("shape", [(64,), (1, 64), (2, 3, 64), (1, 40, 64), (0, 64)])
def test_the_output_is_close(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    plain, given = linear(dtype=dtype), torch.randn(shape).to(dtype)
    right = plain.float()(given.float())
    output = Int8Linear.quantize_(plain.to(dtype))(given)
    assert output.dtype is dtype
    assert output.shape == right.shape
    assert not given.numel() or error(output, right) < 0.02


def test_a_few_rows_of_bf16_go_through_the_kernel() -> None:
    layer = Int8Linear.quantize_(linear(dtype=torch.bfloat16))
    assert uses_kernel(layer, torch.randn(8, 64).bfloat16())
    assert not uses_kernel(layer, torch.randn(9, 64).bfloat16())
    assert not uses_kernel(layer.float(), torch.randn(8, 64))


@pytest.mark.parametrize("in_features", [16, 24, 50, 64])
def test_the_kernel_gives_what_the_widened_weight_gives(in_features: int) -> None:
    """Its loads run over the end of a width that is no multiple of 16: such must not reach it."""
    layer = Int8Linear.quantize_(linear(in_features, dtype=torch.bfloat16))
    given = torch.randn(5, in_features).bfloat16()
    assert uses_kernel(layer, given) == (in_features % 16 == 0)
    assert error(layer(given), F.linear(given, layer.weight, layer.bias)) < 0.01


@pytest.mark.parametrize("offset", [1, 8, 16])
def test_inputs_at_any_address_are_read(offset: int) -> None:
    """The kernel ends the process where an address is no multiple of 32."""
    layer = Int8Linear.quantize_(linear(dtype=torch.bfloat16))
    given = torch.randn(200).bfloat16()[offset : offset + 64].view(1, 64)
    torch.testing.assert_close(layer(given), layer(given.clone()), rtol=0.02, atol=0.02)
    rows = torch.randn(64, 3).bfloat16().T
    torch.testing.assert_close(layer(rows), layer(rows.contiguous()), rtol=0.02, atol=0.02)


def test_fp16_does_not_overflow() -> None:
    plain = nn.Linear(512, 4, dtype=torch.float16)
    with torch.no_grad():
        plain.weight.fill_(0.01)
    output = Int8Linear.quantize_(plain)(torch.full((1, 512), 2.0, dtype=torch.float16))
    assert bool(output.isfinite().all())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_pass_through(dtype: torch.dtype) -> None:
    plain = linear(dtype=dtype)
    weight = plain.weight.detach().clone()
    given = torch.randn(2, 64).to(dtype).requires_grad_()
    Int8Linear.quantize_(plain)(given).sum().backward()
    assert given.grad is not None
    assert error(given.grad[0], weight.sum(0)) < 0.05


def test_the_object_and_its_hooks_stay() -> None:
    plain = linear()
    plain.register_forward_hook(lambda module, args, output: output + 100)
    layer = Int8Linear.quantize_(plain)
    assert layer is plain
    assert bool((layer(torch.zeros(1, 64)) > 50).all())


def test_copies_and_states_carry_the_integers() -> None:
    layer, other = Int8Linear.quantize_(linear()), Int8Linear.quantize_(linear(64))
    given = torch.randn(3, 64)
    torch.testing.assert_close(copy.deepcopy(layer)(given), layer(given), rtol=0, atol=0)
    assert set(layer.state_dict()) == {"quantized", "scale", "bias"}
    other.quantized.zero_()
    other.load_state_dict(layer.state_dict())
    torch.testing.assert_close(other(given), layer(given), rtol=0, atol=0)
    assert layer.quantized.dtype is layer.bfloat16().quantized.dtype is torch.int8

"""Where tensors live, and how wide their numbers are."""

from __future__ import annotations

import pytest
import torch

from flamingo.foundation.devices import fast_dtype


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"avx512_f": True, "avx512_bf16": True, "amx_bf16": False}, torch.bfloat16),
        ({"avx512_f": True, "avx512_bf16": True, "amx_bf16": True}, torch.bfloat16),
        ({"avx512_f": True, "avx512_bf16": False, "amx_bf16": False}, torch.float32),
        ({"avx2": True}, torch.float32),
        ({"architecture": "arm64", "bf16": True}, torch.float32),
    ],
)
def test_a_cpu_computes_in_bf16_where_it_multiplies_it(
    found: dict[str, object], expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found)
    assert fast_dtype(torch.device("cpu")) is expected


@pytest.mark.parametrize(
    ("capability", "expected"),
    [
        ((7, 5), torch.float32),
        ((8, 0), torch.bfloat16),
        ((8, 9), torch.bfloat16),
        ((12, 0), torch.bfloat16),
    ],
)
def test_a_gpu_computes_in_bf16_from_capability_8_on(
    capability: tuple[int, int], expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[torch.device] = []

    def capability_of(device: torch.device) -> tuple[int, int]:
        asked.append(device)
        return capability

    monkeypatch.setattr(torch.cuda, "get_device_capability", capability_of)
    device = torch.device("cuda", 1)
    assert fast_dtype(device) is expected
    assert asked == [device]


def test_mps_keeps_to_fp32() -> None:
    assert fast_dtype(torch.device("mps")) is torch.float32


def test_this_machine_has_an_answer() -> None:
    assert fast_dtype(torch.device("cpu")) in (torch.bfloat16, torch.float32)

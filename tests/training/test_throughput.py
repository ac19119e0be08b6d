"""Utilization is operations by what could have been made."""

from __future__ import annotations

import pytest

from flamingo.foundation.errors import ConfigError
from flamingo.training.throughput import (
    PEAK_FLOPS,
    flops_utilization,
    peak_flops,
    peak_flops_of_device,
)


def test_utilization_is_a_share_of_all_gpus_peaks() -> None:
    assert flops_utilization(8e12, 2.0, peak=1e12, num_gpus=8) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("seconds", "peak", "num_gpus"), [(0.0, 1.0, 1), (1.0, 0.0, 1), (1.0, 1.0, 0)]
)
def test_nothing_to_divide_by_is_refused(seconds: float, peak: float, num_gpus: int) -> None:
    with pytest.raises(ConfigError, match="Give positive numbers"):
        flops_utilization(1.0, seconds, peak=peak, num_gpus=num_gpus)


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    assert peak_flops("h100") == 989e12
    with pytest.raises(ConfigError, match="Did you mean 'a100'"):
        peak_flops("a1000")


@pytest.mark.parametrize(
    ("name", "gpu"),
    [
        ("NVIDIA H100 80GB HBM3", "h100"),
        ("NVIDIA H100 PCIe", "h100-pcie"),
        ("NVIDIA A100-SXM4-80GB", "a100"),
        ("NVIDIA A10", "a10"),
        ("NVIDIA GeForce RTX 4090", "rtx4090"),
        ("NVIDIA RTX A6000", "a6000"),
        ("AMD Instinct MI300X", "mi300x"),
    ],
)
def test_drivers_names_are_found(name: str, gpu: str) -> None:
    assert peak_flops_of_device(name) == PEAK_FLOPS[gpu]


@pytest.mark.parametrize("name", ["NVIDIA A10G", "Tesla T4", "CPU"])
def test_what_is_not_in_the_table_is_not_guessed(name: str) -> None:
    assert peak_flops_of_device(name) is None

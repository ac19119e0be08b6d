"""How far gates are open, as the demo's page says it."""

from __future__ import annotations

import math

import pytest
import torch

from flamingo.miniature.report import gate_table
from flamingo.training.gates import gate_openings
from tests.tiny import tiny_flamingo


@pytest.mark.parametrize("shape", ["scalar", "vector"])
def test_each_layer_has_the_mean_opening_of_both_gates(shape: str) -> None:
    model = tiny_flamingo(gate_shape=shape)
    with torch.no_grad():
        for number, block in enumerate(model.gated_xattn_dense):
            block.alpha_xattn.fill_(-0.5 - number)
            block.alpha_dense.zero_()
            if shape == "vector":
                block.alpha_dense[: len(block.alpha_dense) // 2] = 1.0
    table = gate_table(model)
    assert [one.xattn for one in table] == pytest.approx(
        [math.tanh(0.5 + number) for number in range(len(table))]
    )
    half = math.tanh(1) / 2 if shape == "vector" else 0.0
    assert [one.dense for one in table] == pytest.approx([half] * len(table))
    # What training writes into its log says the same.
    logged = list(gate_openings(model).values())
    assert sorted(logged) == pytest.approx(
        sorted(g for one in table for g in (one.xattn, one.dense))
    )


def test_what_has_no_gates_is_open() -> None:
    table = gate_table(tiny_flamingo(gating="none"))
    assert {(one.xattn, one.dense) for one in table} == {(1.0, 1.0)}

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from flamingo.training.optimizers import Optimizers
from flamingo.training.parameter_groups import parameter_groups
from tests.training.toy_training import CONFIG, toy_model


def names_by_group(model: nn.Module, **settings: object) -> dict[str, set[str]]:
    groups = parameter_groups(model, replace(CONFIG, **settings))
    return {group.name: set(group.names) for group in groups}


def test_only_matrices_outside_of_the_resampler_decay() -> None:
    groups = parameter_groups(toy_model(), CONFIG)
    decay = {name: group.weight_decay for group in groups for name in group.names}
    assert decay == {
        "gated.inner.weight": 0.1,
        "gated.inner.bias": 0.0,
        "gated.norm.weight": 0.0,
        "gated.norm.bias": 0.0,
        "gated.alpha_dense": 0.0,
        "resampler.weight": 0.0,
        "resampler.bias": 0.0,
        "new_embeddings": 0.0,
        "counter.weight": 0.0,
        "counter.bias": 0.0,
        # One output: a vector in the shape of a matrix.
        "lm_head.weight": 0.0,
        "lm_head.bias": 0.0,
    }


def test_the_rules_hold_for_tables_kernels_and_gains() -> None:
    model = nn.ModuleDict(
        {
            "wte": nn.Embedding(4, 4),
            "conv": nn.Conv2d(2, 2, 3),
            "gain": nn.ParameterList([torch.ones(4, 1, 1, 1)]),
            "perceiver_resampler": nn.Linear(3, 3, bias=False),
        }
    )
    groups = names_by_group(model)
    assert groups["decayed"] == {"conv.weight"}
    assert groups["undecayed"] == {
        "wte.weight",
        "conv.bias",
        "gain.0",
        "perceiver_resampler.weight",
    }


def test_muon_takes_the_hidden_matrices_and_nothing_else() -> None:
    model = toy_model()
    model.lm_head = nn.Linear(8, 2)
    groups = names_by_group(model, optimizer="muon")
    assert groups["muon"] == {"gated.inner.weight"}
    assert groups["muon_undecayed"] == {"resampler.weight"}
    assert groups["decayed"] == {"lm_head.weight"}


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_every_trained_parameter_is_in_exactly_one_group(optimizer: str) -> None:
    model = toy_model()
    groups = parameter_groups(model, replace(CONFIG, optimizer=optimizer))
    names = [name for group in groups for name in group.names]
    assert sorted(names) == sorted(n for n, p in model.named_parameters() if p.requires_grad)


def test_a_tied_parameter_is_updated_once() -> None:
    model = nn.ModuleDict({"wte": nn.Embedding(4, 4), "head": nn.Linear(4, 4, bias=False)})
    model["head"].weight = model["wte"].weight
    assert names_by_group(model) == {"undecayed": {"wte.weight"}}


def test_gates_may_learn_faster() -> None:
    model = toy_model()
    optimizers = Optimizers(model, replace(CONFIG, gate_learning_rate_multiplier=10.0))
    for parameter in optimizers.parameters:
        parameter.grad = torch.ones_like(parameter)
    optimizers.step(step=5)
    rates = {g["group_name"]: g["lr"] for p in optimizers.parts for g in p.param_groups}
    assert rates["gates"] == pytest.approx(0.1)
    assert rates["undecayed"] == pytest.approx(0.01)


def test_decay_shrinks_what_decays_and_spares_what_does_not() -> None:
    model = toy_model()
    before = {name: value.clone() for name, value in model.named_parameters()}
    optimizers = Optimizers(model, CONFIG)
    for parameter in optimizers.parameters:
        parameter.grad = torch.zeros_like(parameter)
    optimizers.step(step=5)
    shrunk = before["gated.inner.weight"] * (1 - 0.01 * 0.1)
    torch.testing.assert_close(model.gated.inner.weight, nn.Parameter(shrunk))
    assert torch.equal(model.resampler.weight, before["resampler.weight"])

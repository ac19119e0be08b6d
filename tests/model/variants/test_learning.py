"""Gradients reach every trained part of every variant, with activation checkpointing too."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from flamingo.model.freezing import trained_names
from tests.model.variants.variants_for_tests import FAMILIES, VARIANTS
from tests.tiny import inputs, tiny_flamingo


def _gradients(model: nn.Module) -> dict[str, Tensor]:
    found = {
        name: value.grad.clone()
        for name, value in model.named_parameters()
        if value.grad is not None
    }
    model.zero_grad()
    return found


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_trained_parameter_learns(family: str, variant: str) -> None:
    model, given = tiny_flamingo(family, **VARIANTS[variant]).train(), inputs(num_frames=2)
    model(**given, labels=given["input_ids"]).loss.backward()
    gradients = _gradients(model)
    assert gradients.keys() == trained_names(model)
    used = {name for name, value in gradients.items() if value.abs().max() > 0}
    assert gradients.keys() - used == set()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("family", ["llama", "opt"])
def test_activation_checkpointing_gives_the_same_gradients(family: str, variant: str) -> None:
    model, given = tiny_flamingo(family, **VARIANTS[variant]).train(), inputs()
    model(**given, labels=given["input_ids"]).loss.backward()
    plain = _gradients(model)
    model.activation_checkpointing_enable()
    model(**given, labels=given["input_ids"]).loss.backward()
    again = _gradients(model)
    assert plain.keys() == again.keys()
    for name in plain:
        torch.testing.assert_close(plain[name], again[name], rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize("variant", ["vanilla", "grafting"])
def test_two_passes_before_one_backward_keep_their_own_visuals(variant: str) -> None:
    model = tiny_flamingo(**VARIANTS[variant]).train()
    questions = [inputs(seed=seed) for seed in (1, 2)]
    for given in questions:
        model(**given, labels=given["input_ids"]).loss.backward()
    plain = _gradients(model)
    model.activation_checkpointing_enable()
    losses = [model(**given, labels=given["input_ids"]).loss for given in questions]
    torch.stack(losses).sum().backward()
    again = _gradients(model)
    for name in plain:
        torch.testing.assert_close(plain[name], again[name], rtol=1e-4, atol=1e-6, msg=name)

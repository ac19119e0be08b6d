from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from flamingo.foundation.errors import ConfigError
from flamingo.training.accumulation import Accumulator
from flamingo.training.objective import LossReport
from flamingo.training.preparation import set_train_mode
from tests.training.toy_training import CONFIG, ToyObjective, ToySource, toy_model

SOURCES = [ToySource("pages"), ToySource("pairs", weight=0.2), ToySource("clips", weight=0.03)]


def plain_model() -> nn.Module:
    """Without dropout and batch statistics, where parts and whole could not agree."""
    model = toy_model(dropout=0.0)
    set_train_mode(model)
    model.counter.eval()
    return model


def gradients(model: nn.Module) -> dict[str, Any]:
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("micro_batches", [1, 2, 4, 6])
def test_accumulation_is_the_gradient_of_the_weighted_sum(micro_batches: int) -> None:
    model, at_once = plain_model(), plain_model()
    config = replace(CONFIG, micro_batches=micro_batches)
    accumulate = Accumulator(model, ToyObjective(), config, torch.device("cpu"))
    losses = accumulate([(source, source.batch(3)) for source in SOURCES], step=3)
    terms = [ToyObjective()(at_once, s.batch(3), s.name).loss for s in SOURCES]
    torch.stack([s.weight * term for s, term in zip(SOURCES, terms, strict=True)]).sum().backward()
    for name, gradient in gradients(at_once).items():
        torch.testing.assert_close(gradients(model)[name], gradient, atol=1e-6, rtol=1e-6)
    for source, term in zip(SOURCES, terms, strict=True):
        assert losses[source.name].loss == pytest.approx(term.item(), rel=1e-5)
        assert losses[source.name].num_tokens == source.rows


def test_frozen_parameters_get_no_gradient() -> None:
    model = plain_model()
    accumulate = Accumulator(model, ToyObjective(), CONFIG, torch.device("cpu"))
    accumulate([(SOURCES[0], SOURCES[0].batch(0))], step=0)
    assert not any(name.startswith("encoder") for name in gradients(model))


def test_micro_batches_need_an_objective_that_splits() -> None:
    def contrastive(model: nn.Module, batch: Any, source: str) -> LossReport:
        raise AssertionError("not reached")

    config = replace(CONFIG, micro_batches=2)
    with pytest.raises(ConfigError, match="has no `split`"):
        Accumulator(toy_model(), contrastive, config, torch.device("cpu"))

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from flamingo.foundation.errors import ConfigError
from flamingo.foundation.sharing import Share
from flamingo.training.accumulation import Accumulator
from flamingo.training.objective import FlamingoObjective, LossReport
from flamingo.training.parallelism import Replicated
from flamingo.training.preparation import set_train_mode
from flamingo.training.processes import Processes
from flamingo.training.sources import batch_of
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


def mean_loss(model: nn.Module, source: ToySource, number: int) -> torch.Tensor:
    return ToyObjective()(model, source.batch(number), source.name).loss


def test_round_robin_takes_the_gradient_of_one_source_weighted_by_lambda() -> None:
    model, alone = plain_model(), plain_model()
    config = replace(CONFIG, mixing="round_robin")
    source = SOURCES[1]
    Accumulator(model, ToyObjective(), config, torch.device("cpu"))([(source, source.batch(3))], 3)
    (source.weight * mean_loss(alone, source, 3)).backward()
    for name, gradient in gradients(alone).items():
        torch.testing.assert_close(gradients(model)[name], gradient, atol=1e-6, rtol=1e-6)


def test_merged_is_one_mean_over_the_rows_of_all_sources() -> None:
    model, at_once, accumulated = plain_model(), plain_model(), plain_model()
    draws = [(source, source.batch(3)) for source in SOURCES]
    config = replace(CONFIG, mixing="merged")
    losses = Accumulator(model, ToyObjective(), config, torch.device("cpu"))(draws, 3)
    everything = ToyObjective().merge([(s.weight, batch) for s, batch in draws])
    loss = ToyObjective()(at_once, everything, "merged").loss
    loss.backward()
    Accumulator(accumulated, ToyObjective(), CONFIG, torch.device("cpu"))(draws, 3)
    assert losses.keys() == {"merged"}
    assert losses["merged"].loss == pytest.approx(loss.item(), rel=1e-5)
    assert losses["merged"].num_tokens == sum(source.rows for source in SOURCES)
    for name, gradient in gradients(at_once).items():
        torch.testing.assert_close(gradients(model)[name], gradient, atol=1e-6, rtol=1e-6)
    assert not torch.allclose(model.resampler.weight.grad, accumulated.resampler.weight.grad)


def test_merging_needs_an_objective_that_merges() -> None:
    def contrastive(model: nn.Module, batch: Any, source: str) -> LossReport:
        raise AssertionError("not reached")

    config = replace(CONFIG, mixing="merged")
    with pytest.raises(ConfigError, match="has no `merge`"):
        Accumulator(toy_model(), contrastive, config, torch.device("cpu"))


def test_a_z_loss_that_the_objective_does_not_know_is_refused() -> None:
    config = replace(CONFIG, z_loss=0.1)
    with pytest.raises(ConfigError, match=r"z_loss is 0\.1, but the objective FlamingoObjective"):
        Accumulator(toy_model(), FlamingoObjective(), config, torch.device("cpu"))


class PartOf(Processes):
    """One of two processes, told beforehand what both denominators are."""

    def __init__(self, index: int, total: float) -> None:
        super().__init__(Share(index, 2))
        self.total = total

    def sums(self, numbers: Sequence[float]) -> list[float]:
        return [self.total] if len(numbers) == 1 else list(numbers)


def test_the_shares_of_two_processes_add_up_to_the_gradient_of_one() -> None:
    alone, summed = plain_model(), None
    source = SOURCES[0]
    mean_loss(alone, source, 3).backward()
    for index in range(2):
        model = plain_model()
        processes = PartOf(index, total=6.0)
        rows = batch_of(source, 3, processes.share).batch
        cpu = torch.device("cpu")
        accumulate = Accumulator(
            model, ToyObjective(), CONFIG, cpu, Replicated(Processes()), processes
        )
        accumulate([(source, rows)], 3)
        own = torch.cat([gradient.flatten() for gradient in gradients(model).values()])
        summed = own if summed is None else summed + own
    whole = torch.cat([gradient.flatten() for gradient in gradients(alone).values()])
    torch.testing.assert_close(summed, whole, atol=1e-6, rtol=1e-6)

"""What a step is said to cost is what it costs when it is run."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measuring import peak_bytes
from flamingo.data.batching import Batch
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.presets.parameter_table import (
    GATED_LAYERS,
    LANGUAGE_MODEL,
    RESAMPLER,
    VISION_ENCODER,
)
from flamingo.presets.step_cost import LM_HEAD, BatchShape, StepCost, step_cost
from flamingo.training.compilation import checkpoint_activations
from flamingo.training.objective import FlamingoObjective
from tests.presets.small_flamingos import CASES, COMMON, LLAMA, VOCABULARY, batch_of


@cache
def cost_of(name: str, is_checkpointed: bool = False) -> StepCost:
    case = CASES[name]
    return step_cost(
        case.model(),
        case.shape,
        case.shape.rows,
        precision=case.precision,
        activation_checkpointing=is_checkpointed,
        are_gradients_held=False,
    )


def cost_with(model: FlamingoForConditionalGeneration) -> StepCost:
    return step_cost(model, CASES["pages"].shape, CASES["pages"].shape.rows, precision="fp32")


def run(model: FlamingoForConditionalGeneration, batch: Batch, precision: str) -> None:
    """Forward and backward of one micro-batch, as training makes them."""
    with _autocast(precision):
        loss = FlamingoObjective()(model, batch, "source").loss
    loss.backward()


def _autocast(precision: str) -> AbstractContextManager[Any]:
    return torch.autocast("cpu", torch.bfloat16) if precision == "bf16" else nullcontext()


@pytest.mark.parametrize("is_checkpointed", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_memory_is_what_the_allocator_gives_out(name: str, is_checkpointed: bool) -> None:
    case = CASES[name]
    model, batch = case.model(), batch_of(case)
    predicted = cost_of(name, is_checkpointed).peak
    if is_checkpointed:
        checkpoint_activations(model)
    model.train()
    run(model, batch, case.precision)
    model.zero_grad(set_to_none=True)
    measured = peak_bytes(lambda: run(model, batch, case.precision))
    # Promised are 15 %; what the kernels allocate for themselves is less than 2 % here.
    assert predicted == pytest.approx(measured, rel=0.05)


def test_memory_of_a_later_micro_batch_leaves_gradients_out() -> None:
    case = CASES["clips"]
    model, batch = case.model(), batch_of(case)
    predicted = step_cost(model, case.shape, case.shape.rows, precision=case.precision)
    model.train()
    run(model, batch, case.precision)
    measured = peak_bytes(lambda: run(model, batch, case.precision))
    assert predicted.peak == pytest.approx(measured, rel=0.05)
    assert "gradients" not in predicted.at_peak


@pytest.mark.parametrize("name", CASES)
def test_operations_are_those_that_torch_counts(name: str) -> None:
    case = CASES[name]
    predicted = sum(part.total for part in cost_of(name).flops.values())
    model = case.model().train()
    with FlopCounterMode(display=False) as counter:
        run(model, batch_of(case), case.precision)
    assert predicted == counter.get_total_flops()


def test_operations_of_the_language_model_by_formula() -> None:
    case = CASES["pages"]
    flops = cost_of("pages").flops
    dim, hidden = COMMON["hidden_size"], LLAMA.intermediate_size
    tokens, rows, length = case.shape.num_tokens, case.shape.rows, case.shape.tokens
    matrices = 2 * tokens * (4 * dim**2 + 3 * dim * hidden)
    attention = 2 * rows * length**2 * dim
    layers = LLAMA.num_hidden_layers
    # Its weights are frozen: every matrix has one product in each direction, and none for itself.
    assert flops[LANGUAGE_MODEL].forward == layers * (matrices + 2 * attention)
    assert flops[LANGUAGE_MODEL].backward == layers * (matrices + 5 * attention)
    # The two new tokens' columns come on top, with a product for their weights.
    assert flops[LM_HEAD].forward == 2 * tokens * dim * (VOCABULARY + 2)
    assert flops[LM_HEAD].backward == 2 * tokens * dim * (VOCABULARY + 2 + 2)


def test_frozen_encoder_has_no_backward_and_trained_parts_have_two() -> None:
    flops = cost_of("pages").flops
    assert flops[VISION_ENCODER].forward > 0
    assert flops[VISION_ENCODER].backward == 0
    for part in (GATED_LAYERS, RESAMPLER):
        assert 1.9 * flops[part].forward < flops[part].backward < 2.3 * flops[part].forward


def test_backward_ends_at_the_lowest_trained_part() -> None:
    whole = cost_of("pages").flops[LANGUAGE_MODEL]
    model = CASES["pages"].model()
    model.requires_grad_(False)
    model.gated_xattn_dense[1].requires_grad_(True)
    flops = cost_with(model).flops
    assert flops[RESAMPLER].backward == 0
    # Gated layers stand before layers 0 and 2 of 4; below the second there is nothing to learn.
    assert flops[LANGUAGE_MODEL].backward * 2 == whole.backward


def test_checkpointing_buys_memory_with_a_second_forward() -> None:
    plain, again = cost_of("pages"), cost_of("pages", is_checkpointed=True)
    assert again.peak < 0.8 * plain.peak
    for part in (LANGUAGE_MODEL, GATED_LAYERS):
        assert plain.flops[part].recomputation == 0
        assert again.flops[part].forward == plain.flops[part].forward
        # The last product of a layer is not needed for its gradient.
        assert 0.6 < again.flops[part].recomputation / plain.flops[part].forward <= 1.0


def test_operations_are_proportional_to_rows_and_memory_grows_with_them() -> None:
    case = CASES["pairs"]
    small, large = cost_of("pairs"), step_cost(case.model(), case.shape, 3 * case.shape.rows)
    assert large.peak > small.peak
    for part, flops in small.flops.items():
        assert (large.flops[part].forward, large.flops[part].backward) == (
            3 * flops.forward,
            3 * flops.backward,
        )


def test_text_alone_has_no_vision() -> None:
    case = CASES["pages"]
    cost = step_cost(case.model(), replace(case.shape, visuals=0), 2)
    assert cost.flops.keys() == {LANGUAGE_MODEL, GATED_LAYERS, LM_HEAD}


def test_the_model_is_left_as_it_was() -> None:
    case = CASES["clips"]
    model = case.model().eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    hooks = [len(module._forward_hooks) for module in model.modules()]
    step_cost(model, BatchShape("any", 2, 16), 2, activation_checkpointing=True)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert hooks == [len(module._forward_hooks) for module in model.modules()]
    assert not any(module.training for module in model.modules())
    assert not model.is_activation_checkpointing
    assert all(value.grad is None for value in model.parameters())

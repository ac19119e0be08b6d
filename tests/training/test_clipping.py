from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from flamingo.training.clipping import clip_by_units, clip_gradient
from flamingo.training.config import TrainingConfig
from flamingo.training.errors import NonFiniteLossError

CONFIG = TrainingConfig(clip_norm=1.0)


def parameter(value: torch.Tensor, gradient: torch.Tensor) -> nn.Parameter:
    made = nn.Parameter(value)
    made.grad = gradient
    return made


def named(scale: float = 1.0) -> dict[str, nn.Parameter]:
    torch.manual_seed(0)
    shapes = {
        "vision_encoder.body.conv.weight": (6, 3, 2, 2),
        "vision_encoder.body.conv.bias": (6,),
        "text_encoder.weight": (5, 4),
        "visual_projection.weight": (3, 6),
    }
    return {
        name: parameter(torch.randn(shape), scale * torch.randn(shape))
        for name, shape in shapes.items()
    }


def norm_of(parameters: list[nn.Parameter]) -> float:
    return float(torch.cat([p.grad.flatten() for p in parameters]).norm())


def test_the_global_norm_is_cut_down_and_told() -> None:
    parameters = named()
    before = norm_of(list(parameters.values()))
    assert clip_gradient(parameters, CONFIG, 0) == pytest.approx(before)
    assert norm_of(list(parameters.values())) == pytest.approx(1.0, rel=1e-4)


def test_torch_clips_alike() -> None:
    ours, theirs = named(), named()
    clip_gradient(ours, CONFIG, 0)
    nn.utils.clip_grad_norm_(theirs.values(), 1.0)
    for name in ours:
        assert torch.equal(ours[name].grad, theirs[name].grad)


@pytest.mark.parametrize("config", [CONFIG, replace(CONFIG, clip_norm=0.0)])
def test_small_gradients_or_a_limit_of_zero_change_nothing(config: TrainingConfig) -> None:
    parameters = named(scale=1e-3 if config.clip_norm else 1.0)
    before = {name: p.grad.clone() for name, p in parameters.items()}
    clip_gradient(parameters, config, 0)
    for name, p in parameters.items():
        assert torch.equal(p.grad, before[name])


def test_parameters_without_gradient_are_passed_over() -> None:
    parameters = {**named(), "vision_encoder.unused": nn.Parameter(torch.ones(2))}
    clip_gradient(parameters, replace(CONFIG, adaptive_clip=0.01), 0)
    assert parameters["vision_encoder.unused"].grad is None


def test_adaptive_clipping_is_for_the_vision_encoder_and_the_norm_for_the_rest() -> None:
    parameters = named()
    total = norm_of(list(parameters.values()))
    config = replace(CONFIG, adaptive_clip=0.01)
    assert clip_gradient(parameters, config, 0) == pytest.approx(total)
    vision = [p for name, p in parameters.items() if "vision_encoder" in name]
    rest = [p for name, p in parameters.items() if "vision_encoder" not in name]
    assert norm_of(rest) == pytest.approx(1.0, rel=1e-4)
    for p in vision:
        assert norm_of([p]) == pytest.approx(0.01 * float(p.detach().norm()), rel=1e-4)


def test_each_unit_is_clipped_by_its_own_norm() -> None:
    # Units with norms 3, 4 and 0 against a limit of 0.1.
    weight = torch.tensor([[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]])
    gradient = torch.tensor([[0.0, 1.0], [0.1, 0.1], [2.0, 0.0]])
    clipped = parameter(weight, gradient)
    clip_by_units(clipped, 0.1)
    expected = torch.tensor([[0.0, 0.3], [0.1, 0.1], [1e-4, 0.0]])
    assert torch.allclose(clipped.grad, expected)


def test_a_filter_is_one_unit_over_all_of_its_inputs() -> None:
    clipped = parameter(torch.ones(2, 3, 2, 2), torch.ones(2, 3, 2, 2))
    clipped.grad[1] *= 1e-3
    clip_by_units(clipped, 0.01)
    assert clipped.grad[0].norm() == pytest.approx(0.01 * 12**0.5)
    assert clipped.grad[1].norm() == pytest.approx(1e-3 * 12**0.5)


@pytest.mark.parametrize("shape", [(4,), (4, 1, 1, 1), ()])
def test_a_bias_or_a_gain_is_one_unit_as_a_whole(shape: tuple[int, ...]) -> None:
    value, gradient = torch.ones(shape), torch.rand(shape) + 0.5
    clipped = parameter(value, gradient.clone())
    clip_by_units(clipped, 0.01)
    assert torch.allclose(clipped.grad, gradient * 0.01 * value.norm() / gradient.norm())


def test_a_unit_without_gradient_stays_without() -> None:
    clipped = parameter(torch.zeros(3, 2), torch.zeros(3, 2))
    clip_by_units(clipped, 0.01)
    assert torch.equal(clipped.grad, torch.zeros(3, 2))


@pytest.mark.parametrize("where", ["vision_encoder.body.conv.bias", "text_encoder.weight"])
@pytest.mark.parametrize("adaptive", [0.0, 0.01])
def test_a_gradient_that_is_not_finite_names_the_step(where: str, adaptive: float) -> None:
    parameters = named()
    parameters[where].grad.flatten()[0] = float("nan")
    with pytest.raises(NonFiniteLossError, match="norm nan at step 7"):
        clip_gradient(parameters, replace(CONFIG, adaptive_clip=adaptive), 7)

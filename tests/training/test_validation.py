from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from flamingo.training.accumulation import Accumulator
from flamingo.training.objective import FlamingoObjective
from flamingo.training.processes import Processes
from flamingo.training.reporting import read_log
from flamingo.training.rows import join_rows
from flamingo.training.validation import BLANK, Validator
from tests.tiny import tiny_flamingo
from tests.training.flamingo_run import CONFIG, Pages, trainer


def validator(**settings: object) -> Validator:
    model = tiny_flamingo()
    config = replace(CONFIG, validation_batches=3, **settings)
    accumulator = Accumulator(model, FlamingoObjective(), config, torch.device("cpu"))
    return Validator(model, accumulator, [Pages("held", seed=2)], config, Processes())


def test_the_loss_is_the_mean_over_all_tokens_of_the_first_batches() -> None:
    look = validator()
    batches = [Pages("held", seed=2).batch(number) for number in range(3)]
    expected = FlamingoObjective()(look.model, join_rows(batches), "held").loss
    assert look()["held"] == pytest.approx(expected.item(), rel=1e-5)


def test_the_control_loss_has_the_visuals_blanked_and_nothing_else() -> None:
    look = validator()
    batches = [Pages("held", seed=2).batch(number) for number in range(3)]
    for batch in batches:
        assert batch.pixel_values is not None
        batch.pixel_values.zero_()
    expected = FlamingoObjective()(look.model, join_rows(batches), "held").loss
    losses = look()
    assert losses[f"held {BLANK}"] == pytest.approx(expected.item(), rel=1e-5)
    assert losses[f"held {BLANK}"] != pytest.approx(losses["held"], rel=1e-4)


def test_the_control_loss_can_be_left_out() -> None:
    assert list(validator(control_loss=False)()) == ["held"]


def test_modes_are_restored_and_no_gradient_is_left() -> None:
    look = validator()
    look.model.train()
    modes = [module.training for module in look.model.modules()]
    look()
    assert [module.training for module in look.model.modules()] == modes
    assert all(parameter.grad is None for parameter in look.model.parameters())


def test_it_is_logged_and_changes_nothing(tmp_path: Path) -> None:
    looking = trainer(tmp_path / "looking", CONFIG)
    looking.fit()
    blind = trainer(tmp_path / "blind", replace(CONFIG, validate_every=0))
    blind.fit()
    lines = read_log(tmp_path / "looking/log.jsonl")
    assert [line["step"] for line in lines if line.get("event") == "validation"] == [4, 8]
    for name, value in looking.model.state_dict().items():
        assert torch.equal(value, blind.model.state_dict()[name]), name

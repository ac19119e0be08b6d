"""The engine on a real, tiny Flamingo and on a tiny language model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from flamingo.data.batching import Batch
from flamingo.training.accumulation import Accumulator
from flamingo.training.objective import FlamingoObjective, LanguageObjective
from flamingo.training.parameter_groups import parameter_groups, trained_parameters
from flamingo.training.preparation import set_train_mode
from flamingo.training.reporting import StepReport, read_log
from flamingo.training.trainer import Trainer
from tests.families import tiny_lm
from tests.tiny import IMAGE, inputs, tiny_flamingo
from tests.training.toy_training import CONFIG

SHORT = replace(CONFIG, steps=4, warmup_steps=0, checkpoint_every=2)


def batch_of(step: int, rows: int = 4) -> Batch:
    made = inputs(rows, seed=step)
    weights = (made["input_ids"] != IMAGE).float()
    weights[0, 5:] = 0.0
    labels = made["input_ids"].masked_fill(weights == 0, -100)
    frames = torch.ones(made["pixel_values"].shape[:3], dtype=torch.bool)
    return Batch(labels=labels, loss_weights=weights, frame_mask=frames, **made)


@dataclass
class Pages:
    name: str = "pages"
    weight: float = 1.0

    def batch(self, step: int) -> Batch:
        return batch_of(step)


@dataclass
class Text:
    name: str = "text"
    weight: float = 1.0

    def batch(self, step: int) -> dict[str, Tensor]:
        ids = batch_of(step).input_ids.clamp_max(IMAGE - 1)
        return {"input_ids": ids, "loss_weights": torch.ones(ids.shape)}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_only_trained_parts_move(precision: str, tmp_path: Path) -> None:
    model = tiny_flamingo()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    config = replace(SHORT, precision=precision)
    Trainer(model, FlamingoObjective(), [Pages()], config, tmp_path).fit()
    trained = trained_parameters(model).keys()
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) == (name not in trained), name
    losses = [line["loss"]["pages"] for line in read_log(tmp_path / "log.jsonl") if "loss" in line]
    assert len(losses) == 4


def test_a_flamingo_that_was_killed_ends_as_one_that_was_not(tmp_path: Path) -> None:
    def die(report: StepReport) -> None:
        if report.step == 3:
            raise KeyboardInterrupt

    objective = FlamingoObjective()
    whole, cut, last = (tiny_flamingo() for _ in range(3))
    Trainer(whole, objective, [Pages()], SHORT, tmp_path / "a").fit()
    with pytest.raises(KeyboardInterrupt):
        Trainer(cut, objective, [Pages()], SHORT, tmp_path / "b", on_step=[die]).fit()
    Trainer(last, objective, [Pages()], SHORT, tmp_path / "b").fit()
    for name, value in whole.state_dict().items():
        assert torch.equal(value, last.state_dict()[name]), name


def test_micro_batches_of_a_flamingo_give_the_same_gradient() -> None:
    whole, parts = tiny_flamingo(), tiny_flamingo()
    for model, number in ((whole, 1), (parts, 3)):
        set_train_mode(model)
        config = replace(SHORT, micro_batches=number)
        accumulate = Accumulator(model, FlamingoObjective(), config, torch.device("cpu"))
        accumulate([(Pages(), batch_of(0))], step=0)
    other = trained_parameters(parts)
    for name, parameter in trained_parameters(whole).items():
        torch.testing.assert_close(parameter.grad, other[name].grad, atol=1e-6, rtol=1e-4)


def test_the_papers_groups_on_a_flamingo() -> None:
    groups = parameter_groups(tiny_flamingo(), CONFIG)
    members = {group.name: group.names for group in groups}
    assert all(name.endswith(("alpha_xattn", "alpha_dense")) for name in members["gates"])
    assert members["gates"]
    assert not any("resampler" in name for name in members["decayed"])
    matrices = [name for name in members["decayed"] if name != "widen.weight"]
    assert matrices
    assert all("xattn" in name and name.endswith(".weight") for name in matrices)
    kept = [name for name in members["undecayed"] if "resampler" not in name]
    assert all("norm" in name or "rows" in name or name.endswith("bias") for name in kept), kept


def test_a_language_model_learns_from_text_alone(tmp_path: Path) -> None:
    model = tiny_lm("llama").requires_grad_(True)
    Trainer(model, LanguageObjective(), [Text()], SHORT, tmp_path).fit()
    assert read_log(tmp_path / "log.jsonl")[0]["loss"]["text"] > 0

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import yaml
from torch import nn

from flamingo.cli import train
from flamingo.foundation.errors import ConfigError
from flamingo.foundation.randomness import generator
from flamingo.presets import training as registry
from flamingo.presets.recipe import Ingredients, Recipe
from flamingo.training.config import TrainingConfig
from flamingo.training.objective import LossReport


@dataclass(frozen=True)
class DataSettings:
    rows: int = 4


TRAINING = TrainingConfig(steps=4, warmup_steps=0, device="cpu", log_every=2)


@dataclass(frozen=True)
class LineConfig:
    training: TrainingConfig = TRAINING
    data: DataSettings = DataSettings()


@dataclass
class Line:
    rows: int
    name: str = "line"
    weight: float = 1.0

    def batch(self, step: int) -> dict[str, torch.Tensor]:
        return {"x": torch.from_numpy(generator(step).normal(size=(self.rows, 2))).float()}


def objective(model: nn.Module, batch: Any, source: str) -> LossReport:
    return LossReport(model(batch["x"]).square().mean(), len(batch["x"]))


def build(config: LineConfig) -> Ingredients:
    model = nn.Linear(2, 1)

    def export(folder: Path) -> None:
        torch.save(model.state_dict(), folder / "line.pt")

    return Ingredients(model, objective, [Line(config.data.rows)], export=export)


@pytest.fixture(autouse=True)
def fit_line(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("flamingo.presets.training.fit_line")
    module.RECIPE = Recipe("fit-line", "Fits a line.", LineConfig(), build)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    names = registry.recipe_names()
    monkeypatch.setattr(registry, "recipe_names", lambda: [*names, "fit-line"])


def flamingo_train(*words: str) -> int:
    parser = argparse.ArgumentParser()
    train.add_parser(parser.add_subparsers(dest="verb"))
    return train.run(parser.parse_args(["train", *words]))


def test_one_command_trains_and_exports(tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert flamingo_train("fit-line", "--out", str(out), "training.steps=3", "data.rows=2") == 0
    assert (out / "model/line.pt").exists()
    recipe = yaml.safe_load((out / "recipe.yaml").read_text())
    assert recipe["recipe"] == "fit-line"
    assert recipe["training"]["steps"] == 3
    assert recipe["data"] == {"rows": 2}


@pytest.mark.parametrize("late", [False, True])
def test_settings_stand_before_or_after_options(
    late: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["training.seed=5", "training.learning_rate=1e-3"]
    order = ["--print-config", *words] if late else [*words, "--print-config"]
    assert flamingo_train("fit-line", *order) == 0
    printed = yaml.safe_load(capsys.readouterr().out)
    assert printed["training"]["seed"] == 5
    assert printed["training"]["learning_rate"] == 1e-3


def test_the_same_command_again_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flamingo_train("fit-line", "--out", str(tmp_path))
    flamingo_train("fit-line", "--out", str(tmp_path), "training.steps=6")
    assert "Going on from" in capsys.readouterr().err


def test_a_recipe_file_changes_a_named_recipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("recipe: fit-line\ntraining: {seed: 9}\n")
    flamingo_train(str(path), "--print-config")
    printed = yaml.safe_load(capsys.readouterr().out)
    assert (printed["training"]["seed"], printed["training"]["steps"]) == (9, 4)


def test_the_recipe_of_a_run_folder_makes_the_same_run(tmp_path: Path) -> None:
    flamingo_train("fit-line", "--out", str(tmp_path / "a"), "data.rows=3")
    flamingo_train(str(tmp_path / "a/recipe.yaml"), "--out", str(tmp_path / "b"))
    first, second = (torch.load(tmp_path / run / "model/line.pt") for run in "ab")
    assert torch.equal(first["weight"], second["weight"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fit-lin", "--print-config"], r"no recipe 'fit-lin'\. Did you mean 'fit-line'\?"),
        (["fit-line", "training.step=3"], r"no setting 'training\.step'\. Did you mean 'steps'\?"),
        (["fit-line", "trainin.steps=3"], r"no setting 'trainin'\. Did you mean 'training'\?"),
        (["fit-line", "training.schedule=cosin"], r"cannot be 'cosin'\. Did you mean 'cosine'\?"),
        (["fit-line"], "--out DIR"),
        (["absent.yaml"], r"There is no file absent\.yaml"),
    ],
)
def test_what_is_wrong_is_named(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        flamingo_train(*words)


def test_a_recipe_file_without_a_base_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("training: {steps: 3}")
    with pytest.raises(ConfigError, match="needs a line `recipe: NAME`"):
        flamingo_train(str(tmp_path / "a.yaml"))

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import flamingo
from flamingo.foundation.errors import CheckpointError, ConfigError
from flamingo.training.config import TrainingConfig
from flamingo.training.errors import NonFiniteLossError
from flamingo.training.objective import LossReport
from flamingo.training.reporting import StepReport, read_log
from flamingo.training.trainer import Trainer
from tests.training.toy_training import CONFIG, ToyObjective, ToySource, toy_model, toy_trainer


class Killed(BaseException):
    """Ends a run as abruptly as an exception can."""


def kill_at(step: int) -> Any:
    def probe(report: StepReport) -> None:
        if report.step == step:
            raise Killed

    return probe


def assert_same_run(one: Trainer, other: Trainer) -> None:
    weights, others = one.model.state_dict(), other.model.state_dict()
    assert weights.keys() == others.keys()
    for name, value in weights.items():
        assert torch.equal(value, others[name]), name
    states, others = one.optimizers.tensors(), other.optimizers.tensors()
    assert states.keys() == others.keys()
    for name, value in states.items():
        assert torch.equal(value, others[name]), name


def losses_of(folder: Path) -> list[Any]:
    return [
        (line["step"], line["loss"]) for line in read_log(folder / "log.jsonl") if "loss" in line
    ]


VARIANTS = {
    "plain": CONFIG,
    "muon": replace(CONFIG, optimizer="muon", schedule="cosine"),
    "round_robin": replace(CONFIG, mixing="round_robin"),
    "micro_batches": replace(CONFIG, micro_batches=2),
    "bf16": replace(CONFIG, precision="bf16"),
    "merged": replace(CONFIG, mixing="merged"),
    "async": replace(CONFIG, async_checkpoints=True),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("steps", [(1,), (4,), (5, 7, 11)])
def test_a_killed_run_ends_as_if_it_had_not_been_killed(
    variant: str, steps: tuple[int, ...], tmp_path: Path
) -> None:
    config = VARIANTS[variant]
    whole = toy_trainer(tmp_path / "whole", config)
    assert whole.fit()
    for step in steps:
        with pytest.raises(Killed):
            toy_trainer(tmp_path / "killed", config, on_step=[kill_at(step)]).fit()
    last = toy_trainer(tmp_path / "killed", config)
    assert last.fit()
    assert_same_run(whole, last)
    assert losses_of(tmp_path / "whole") == losses_of(tmp_path / "killed")


def test_worker_processes_change_nothing_not_even_across_a_kill(tmp_path: Path) -> None:
    whole = toy_trainer(tmp_path / "whole")
    whole.fit()
    config = replace(CONFIG, num_workers=2, prefetch=2)
    with pytest.raises(Killed):
        toy_trainer(tmp_path / "killed", config, on_step=[kill_at(6)]).fit()
    last = toy_trainer(tmp_path / "killed", config)
    last.fit()
    assert_same_run(whole, last)


def test_sigkill_in_the_middle_of_a_checkpoint_loses_nothing_else(tmp_path: Path) -> None:
    script = Path(__file__).with_name("toy_training.py")
    source = str(Path(flamingo.__path__[0]).parent)
    environment = {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(script), str(tmp_path / "killed")]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    kept = sorted(path.name for path in (tmp_path / "killed/checkpoints").iterdir())
    assert kept == [".step-000008.writing", "step-000004"]
    whole, last = toy_trainer(tmp_path / "whole"), toy_trainer(tmp_path / "killed")
    whole.fit()
    last.fit()
    assert_same_run(whole, last)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_writes_a_checkpoint_and_says_how_to_go_on(
    number: signal.Signals, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def send(report: StepReport) -> None:
        if report.step == 6:
            signal.raise_signal(number)

    assert not toy_trainer(tmp_path / "run", on_step=[send]).fit()
    assert (tmp_path / "run/checkpoints/step-000006").is_dir()
    assert "Stopped after 6 of 12 steps" in capsys.readouterr().err
    last, whole = toy_trainer(tmp_path / "run"), toy_trainer(tmp_path / "whole")
    assert last.fit()
    whole.fit()
    assert_same_run(whole, last)
    assert "Give the same command again" in (tmp_path / "run/log.jsonl").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_process_group_is_the_same(
    number: signal.Signals, tmp_path: Path
) -> None:
    def send(report: StepReport) -> None:
        if report.step == 6:
            for worker in multiprocessing.active_children():
                os.kill(worker.pid or 0, number)
            signal.raise_signal(number)

    config = replace(CONFIG, num_workers=2, prefetch=1)
    assert not toy_trainer(tmp_path / "run", config, on_step=[send]).fit()
    last, whole = toy_trainer(tmp_path / "run", config), toy_trainer(tmp_path / "whole")
    assert last.fit()
    whole.fit()
    assert_same_run(whole, last)


def test_signal_handlers_are_given_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    toy_trainer(tmp_path).fit()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_finished_run_is_not_trained_further(tmp_path: Path) -> None:
    first = toy_trainer(tmp_path)
    first.fit()
    again = toy_trainer(tmp_path, on_step=[kill_at(13)])
    assert again.fit()
    assert_same_run(first, again)


def test_more_steps_continue_a_finished_run(tmp_path: Path) -> None:
    toy_trainer(tmp_path / "short").fit()
    longer = replace(CONFIG, steps=16)
    extended, whole = (
        toy_trainer(tmp_path / "short", longer),
        toy_trainer(tmp_path / "long", longer),
    )
    extended.fit()
    whole.fit()
    assert_same_run(whole, extended)


def test_frozen_parts_stay_bit_identical_and_trained_parts_move(tmp_path: Path) -> None:
    before = {name: value.clone() for name, value in toy_model().state_dict().items()}
    trainer = toy_trainer(tmp_path)
    trainer.fit()
    for name, value in trainer.model.state_dict().items():
        if name.startswith("encoder"):
            assert torch.equal(value, before[name]), name
        else:
            assert not torch.equal(value, before[name]), name


def test_wholly_frozen_parts_are_in_evaluation_mode_while_training(tmp_path: Path) -> None:
    modes = {}

    def look(report: StepReport) -> None:
        modes.update({name: module.training for name, module in report.model.named_modules()})

    toy_trainer(tmp_path, on_step=[look]).fit()
    assert not modes["encoder"]
    assert not modes["encoder.2"]
    assert modes["dropout"]
    assert modes["counter"]


def test_probes_cannot_disturb_the_run(tmp_path: Path) -> None:
    def meddle(report: StepReport) -> dict[str, float]:
        torch.manual_seed(1)
        report.model.eval()
        return {"probe": float(torch.rand(1))}

    quiet, probed = toy_trainer(tmp_path / "quiet"), toy_trainer(tmp_path / "a", on_step=[meddle])
    quiet.fit()
    probed.fit()
    assert_same_run(quiet, probed)
    assert "probe" in read_log(tmp_path / "a/log.jsonl")[0]["metrics"]


def test_trained_parameters_are_kept_in_32_bits(tmp_path: Path) -> None:
    model = toy_model().bfloat16()
    config = replace(CONFIG, precision="bf16")
    Trainer(model, ToyObjective(), [ToySource("pages")], config, tmp_path)
    assert model.resampler.weight.dtype == torch.float32
    assert model.encoder[0].weight.dtype == torch.bfloat16


class Exploding(ToyObjective):
    def __init__(self, value: float) -> None:
        self.value, self.calls = value, 0

    def __call__(self, model: nn.Module, batch: Any, source: str) -> LossReport:
        self.calls += 1
        report = super().__call__(model, batch, source)
        return LossReport(report.loss * (self.value if self.calls == 7 else 1.0))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_names_step_and_source(value: float, tmp_path: Path) -> None:
    sources = [ToySource("pages")]
    trainer = Trainer(toy_model(), Exploding(value), sources, CONFIG, tmp_path)
    with pytest.raises(
        NonFiniteLossError, match=r"The loss of source 'pages' is (nan|inf) at step 6"
    ):
        trainer.fit()
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-000004"]


def test_another_recipe_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    toy_trainer(tmp_path)
    with pytest.raises(ConfigError, match=r"training\.learning_rate was 0\.01, is now 0\.5"):
        toy_trainer(tmp_path, replace(CONFIG, learning_rate=0.5))


def test_a_checkpoint_of_another_model_is_refused_with_the_first_difference(tmp_path: Path) -> None:
    toy_trainer(tmp_path).fit()
    model = toy_model()
    model.lm_head = nn.Linear(8, 2)
    other = Trainer(model, ToyObjective(), [ToySource("pages")], CONFIG, tmp_path)
    with pytest.raises(CheckpointError, match=r"'lm_head\.bias': \[1\] in the checkpoint, \[2\]"):
        other.fit()


def test_other_frozen_parts_are_refused(tmp_path: Path) -> None:
    toy_trainer(tmp_path).fit()
    model = toy_model()
    model.extra = nn.Linear(2, 2).requires_grad_(False)
    other = Trainer(model, ToyObjective(), [ToySource("pages")], CONFIG, tmp_path)
    with pytest.raises(CheckpointError, match="4 frozen parameters there, 6 here"):
        other.fit()


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([], "the list of sources is empty"),
        ([ToySource("a"), ToySource("a")], "Two sources are called 'a'"),
        ([ToySource("a", weight=0.0)], "λ must be positive"),
    ],
)
def test_impossible_mixtures_are_refused(
    sources: list[ToySource], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        Trainer(toy_model(), ToyObjective(), sources, CONFIG, tmp_path)


def test_a_model_without_trained_parameters_is_refused(tmp_path: Path) -> None:
    model = toy_model().requires_grad_(False)
    with pytest.raises(ConfigError, match="No parameter of the model is trained"):
        Trainer(model, ToyObjective(), [ToySource("a")], CONFIG, tmp_path)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"training\.steps must be at least 1, not 0"):
        TrainingConfig(steps=0)


def test_the_model_is_exported_whole_at_the_end(tmp_path: Path) -> None:
    def export(folder: Path) -> None:
        (folder / "model.txt").write_text("trained")

    toy_trainer(tmp_path, export=export).fit()
    toy_trainer(tmp_path, export=export).fit()
    assert (tmp_path / "model/model.txt").read_text() == "trained"

"""Runs of two processes beside runs of one: the same run, whatever divides the work."""

from __future__ import annotations

import shutil
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from flamingo.training.reporting import read_log
from tests.training.flamingo_run import CONFIG, run, trainer
from tests.training.forks import run_all


def launch(folder: Path, *settings: str, count: int = 2) -> list[int | None]:
    """What `torchrun` does, without its agent; the processes' exit statuses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count)}
    return run_all(run, (folder, settings), [{**shared, "RANK": str(n)} for n in range(count)])


def losses(folder: Path) -> dict[int, dict[str, float]]:
    return {line["step"]: line["loss"] for line in read_log(folder / "log.jsonl") if "loss" in line}


def exported(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model/trained.safetensors")


def assert_near(one: dict[int, Any], other: dict[int, Any]) -> None:
    assert one.keys() == other.keys()
    for step, values in one.items():
        assert values == pytest.approx(other[step], abs=1e-5), step


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alone")
    trainer(folder, CONFIG).fit()
    return folder


def test_two_processes_that_replicate_the_model_make_the_run_of_one(
    alone: Path, tmp_path: Path
) -> None:
    assert launch(tmp_path, "parallel=replicate") == [0, 0]
    assert_near(losses(tmp_path), losses(alone))
    assert held_out(tmp_path) == pytest.approx(held_out(alone), abs=1e-5)


@pytest.mark.parametrize("parallel", ["shard", "replicate"])
def test_two_processes_that_are_killed_end_as_if_they_had_not_been(
    parallel: str, alone: Path, tmp_path: Path
) -> None:
    settings = [f"parallel={parallel}", "async_checkpoints=true", "activation_checkpointing=true"]
    assert launch(tmp_path / "whole", *settings) == [0, 0]
    assert_near(losses(tmp_path / "whole"), losses(alone))
    assert launch(tmp_path / "cut", *settings, "die=5") == [-signal.SIGKILL] * 2
    shutil.copytree(tmp_path / "cut", tmp_path / "as_one")
    assert launch(tmp_path / "cut", *settings) == [0, 0]
    for name, tensor in exported(tmp_path / "whole").items():
        assert torch.equal(tensor, exported(tmp_path / "cut")[name]), name
    assert losses(tmp_path / "whole") == losses(tmp_path / "cut")

    trainer(tmp_path / "as_one", CONFIG).fit()
    assert resumed_at(tmp_path / "as_one") == [3]
    assert_near(losses(tmp_path / "as_one"), losses(tmp_path / "whole"))


def test_a_run_of_one_goes_on_as_two(alone: Path, tmp_path: Path) -> None:
    assert not trainer(tmp_path, CONFIG, on_step=[stop_at(5)]).fit()
    assert launch(tmp_path, "parallel=shard") == [0, 0]
    assert resumed_at(tmp_path) == [5]
    assert_near(losses(tmp_path), losses(alone))


def held_out(folder: Path) -> dict[str, float]:
    lines = [line for line in read_log(folder / "log.jsonl") if line.get("event") == "validation"]
    return {f"{line['step']} {name}": x for line in lines for name, x in line["losses"].items()}


def resumed_at(folder: Path) -> list[int]:
    lines = read_log(folder / "log.jsonl")
    return [line["step"] for line in lines if line.get("event") == "resumed"]


def stop_at(step: int) -> Any:
    def probe(report: Any) -> None:
        if report.step == step:
            signal.raise_signal(signal.SIGTERM)

    return probe

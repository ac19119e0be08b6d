"""The miniature's bridge, killed at ten random moments, ends as if it had never been."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from flamingo.cli.main import main
from flamingo.training.reporting import read_log

STEPS, KILLS = 110, 10
SHORT = ["training.steps=2", "training.threads=1"]
BRIDGE = [
    f"training.steps={STEPS}",
    "training.threads=1",
    "training.log_every=1",
    "training.checkpoint_every=7",
    "training.async_checkpoints=true",
    "training.num_workers=1",
    "training.optimizer=adamw",
    "data.alignment_steps=20",
    "data.alignment_batch=2",
    "data.pages=2",
    "data.pairs=2",
    "data.clips=2",
    "data.questions=2",
]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    runs = tmp_path_factory.mktemp("parts")
    stages = {
        "vision": ["data.batch_size=8", "probe.every=0"],
        "language": ["probe.episodes=0"],
    }
    for stage, more in stages.items():
        out = str(runs / stage)
        assert main(["train", f"miniature-{stage}", "--out", out, *SHORT, *more]) == 0
    return [f"model.vision={runs}/vision/model", f"model.language={runs}/language/model"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "processes", [["replicate", "1"], ["replicate", "2"], ["shard", "2"]], ids=" ".join
)
def test_ten_kills_change_nothing(processes: list[str], parts: list[str], tmp_path: Path) -> None:
    parallel, count = processes
    settings = [*parts, *BRIDGE, f"training.parallel={parallel}"]
    assert ended(started(tmp_path / "whole", count, settings)) == {0}
    draw = random.Random(f"{parallel} {count}")
    moments = []
    for kill in range(KILLS):
        run = started(tmp_path / "killed", count, settings)
        wait_for_step(tmp_path / "killed", (kill + 1) * STEPS // (KILLS + 2), run)
        time.sleep(draw.uniform(0, 0.6))
        for process in run:
            os.killpg(process.pid, signal.SIGKILL)
        assert ended(run) == {-signal.SIGKILL}
        moments.append(last_step(tmp_path / "killed"))
    assert ended(started(tmp_path / "killed", count, settings)) == {0}
    print(f"{parallel}, {count} process(es): killed after updates {moments}")

    whole, killed = (tmp_path / run / "model/model.safetensors" for run in ("whole", "killed"))
    assert whole.read_bytes() == killed.read_bytes()
    last = f"checkpoints/step-{STEPS:06d}"
    for file in (tmp_path / "whole" / last).glob("*.safetensors"):
        other = load_file(tmp_path / "killed" / last / file.name)
        for name, tensor in load_file(file).items():
            assert torch.equal(tensor, other[name]), name
    logs = [read_log(tmp_path / run / "log.jsonl") for run in ("whole", "killed")]
    losses = [[line["loss"] for line in log if "loss" in line] for log in logs]
    assert losses[0] == losses[1]


def started(folder: Path, count: str, settings: list[str]) -> list[subprocess.Popen[bytes]]:
    """What `torchrun` starts, each process a group of its own with its data workers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    several = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": count}
    command = [sys.executable, "-m", "flamingo.cli.main", "train", "miniature-flamingo"]
    return [
        subprocess.Popen(
            [*command, "--out", str(folder), *settings],
            env={**os.environ, "OMP_NUM_THREADS": "1", **several, "RANK": str(rank)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for rank in range(int(count))
    ]


def ended(run: list[subprocess.Popen[bytes]]) -> set[int]:
    return {process.wait() for process in run}


def wait_for_step(folder: Path, step: int, run: list[subprocess.Popen[bytes]]) -> None:
    while last_step(folder) < step:
        assert all(p.poll() is None for p in run), "the run ended before it could be killed"
        time.sleep(0.05)


def last_step(folder: Path) -> int:
    steps = [line["step"] for line in read_log(folder / "log.jsonl") if "loss" in line]
    return max(steps, default=0)

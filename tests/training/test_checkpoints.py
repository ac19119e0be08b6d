from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from flamingo.foundation.errors import CheckpointError
from flamingo.training import state
from flamingo.training.identity import identity_of
from flamingo.training.state import MANIFEST
from tests.training.toy_training import CONFIG, toy_trainer

TENSORS = "shard-00001-model-00001-of-00001.safetensors"


def steps_in(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "checkpoints").iterdir())


@pytest.mark.parametrize("name", [TENSORS, MANIFEST])
@pytest.mark.parametrize("damage", ["missing", "truncated", "changed"])
def test_a_damaged_checkpoint_is_passed_over_with_a_warning(
    name: str, damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = toy_trainer(tmp_path)
    whole.fit()
    path = tmp_path / "checkpoints/step-000012" / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        end = bytes([content[-1] ^ 1]) if name != MANIFEST else b"?"
        path.write_bytes(
            content[: len(content) // 2] if damage == "truncated" else content[:-1] + end
        )
    again = toy_trainer(tmp_path)
    newest = again.checkpoints.newest()
    assert newest is not None
    assert newest.name == "step-000008"
    assert "step-000012 is passed over" in capsys.readouterr().err
    assert "passed over" in (tmp_path / "log.jsonl").read_text()
    again.fit()
    assert torch.equal(whole.model.resampler.weight, again.model.resampler.weight)
    newest = again.checkpoints.newest()
    assert newest is not None
    assert newest.name == "step-000012"


def test_a_checkpoint_that_could_not_be_finished_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    made = toy_trainer(tmp_path)
    monkeypatch.setattr(state, "_flush", full)
    with pytest.raises(OSError, match="No space left"):
        made.fit()
    assert made.checkpoints.newest() is None


def test_the_last_two_and_the_final_one_are_kept(tmp_path: Path) -> None:
    toy_trainer(tmp_path, replace(CONFIG, checkpoint_every=2, steps=11)).fit()
    assert steps_in(tmp_path) == ["step-000008", "step-000010", "step-000011"]


def test_only_trained_parameters_and_buffers_are_stored(tmp_path: Path) -> None:
    toy_trainer(tmp_path).fit()
    folder = tmp_path / "checkpoints/step-000012"
    with safe_open(folder / TENSORS, framework="pt") as file:
        names = set(file.keys())
    assert "model/resampler.weight" in names
    assert "optimizer/exp_avg/resampler.weight" in names
    assert "model/counter.running_mean" in names
    assert "model/encoder.0.weight" not in names
    record = json.loads((folder / MANIFEST).read_text())
    assert record["model"]["frozen"]["count"] == 4
    assert record["step"] == 12


def test_nothing_in_a_checkpoint_needs_pickle(tmp_path: Path) -> None:
    toy_trainer(tmp_path, replace(CONFIG, optimizer="muon")).fit()
    files = (tmp_path / "checkpoints/step-000012").iterdir()
    assert sorted(path.suffix for path in files) == [".json", ".safetensors"]


def test_other_frozen_weights_are_noticed(tmp_path: Path) -> None:
    toy_trainer(tmp_path).fit()
    again = toy_trainer(tmp_path)
    with torch.no_grad():
        again.model.encoder[0].weight.add_(1e-3)
    other = identity_of(again.model)
    again.checkpoints.identity = other
    with pytest.raises(CheckpointError, match="same names and shapes, but other values"):
        again.fit()

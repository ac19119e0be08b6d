"""Random models have the shapes that were asked for, where and as they were asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from flamingo.foundation.errors import CheckpointError, ConfigError
from flamingo.inference.memory_use import parameter_bytes
from flamingo.presets.from_preset import build_preset
from flamingo.presets.models import model_preset
from flamingo.presets.random_weights import random_flamingo
from tests.tiny import tiny_flamingo

CPU = torch.device("cpu")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_folder_needs_no_more_than_its_configuration(tmp_path: Path, dtype: torch.dtype) -> None:
    known = tiny_flamingo()
    known.config.save_pretrained(tmp_path)
    model = random_flamingo(tmp_path, device=CPU, dtype=dtype)
    shapes = {name: (own.shape, dtype, False) for name, own in known.named_parameters()}
    found = {
        name: (own.shape, own.dtype, own.requires_grad) for name, own in model.named_parameters()
    }
    assert found == shapes
    assert not model.training


def test_a_preset_has_its_own_size() -> None:
    model = random_flamingo("flamingo-3b", device=torch.device("meta"), dtype=torch.bfloat16)
    count = sum(own.numel() for own in build_preset(model_preset("flamingo-3b")).parameters())
    assert sum(own.numel() for own in model.parameters()) == count
    assert parameter_bytes(model) == pytest.approx(2 * count, rel=1e-3)


def test_what_no_memory_can_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", lambda name: 2**15)
    with pytest.raises(ConfigError, match=r"take [56]\.\d GiB, and this machine has 1\.0 GiB"):
        random_flamingo("flamingo-3b", device=CPU, dtype=torch.bfloat16)


def test_wrong_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'flamingo-9b'"):
        random_flamingo("flamingo-9", device=CPU, dtype=torch.float32)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match="cannot be read"):
        random_flamingo(tmp_path, device=CPU, dtype=torch.float32)

"""A run that was stopped goes on, and is the run that was not."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flamingo.evaluation.prediction import Prediction
from flamingo.evaluation.sweep import Asker, Block
from flamingo.foundation.errors import ConfigError
from flamingo.miniature.flamingo_data import DrawnSource
from flamingo.presets.ablations.arms import Arm, Arms
from flamingo.presets.ablations.execution import carry_out
from flamingo.presets.ablations.result import result_in
from flamingo.presets.ablations.rows import ROWS
from tests.presets.ablations.small_ablation import small_config

ROW = ROWS["lm-unfrozen"]


@pytest.fixture(scope="module")
def whole(parts: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Arm:
    arm = arm_in(tmp_path_factory.mktemp("whole"), parts)
    assert carry_out(arm)
    return arm


def arm_in(folder: Path, parts: dict[str, Path], **changed: Any) -> Arm:
    config = small_config(parts, steps=4, checkpoint_every=1, queries=17, **changed)
    return Arms(config, folder).arm(ROW, 0)


def check_equal(arm: Arm, other: Arm) -> None:
    assert weights(arm) == weights(other)
    one, two = result_in(arm.folder), result_in(other.folder)
    assert one is not None
    assert two is not None
    assert one.right == two.right


def weights(arm: Arm) -> bytes:
    return (arm.folder / "model" / "model.safetensors").read_bytes()


def test_stopped_in_training(
    whole: Arm, parts: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm, original = arm_in(tmp_path, parts), DrawnSource.batch

    def batch(source: DrawnSource, step: int) -> Any:
        if step == 2 and source.name == "clips":
            signal.raise_signal(signal.SIGTERM)
        return original(source, step)

    with monkeypatch.context() as patch:
        patch.setattr(DrawnSource, "batch", batch)
        assert not carry_out(arm)
    assert result_in(arm.folder) is None
    assert carry_out(arm)
    check_equal(arm, whole)


def test_stopped_while_it_is_asked(
    whole: Arm, parts: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm, original = arm_in(tmp_path, parts), Asker.pieces
    blocks = []

    def pieces(asker: Asker, block: Block) -> Iterator[list[Prediction]]:
        blocks.append(block)
        if len(blocks) == 2:
            raise KeyboardInterrupt
        return original(asker, block)

    monkeypatch.setattr(Asker, "pieces", pieces)
    with pytest.raises(KeyboardInterrupt):
        carry_out(arm)
    assert result_in(arm.folder) is None
    assert carry_out(arm)
    assert [len(block.indices) for block in blocks] == [16, 1, 1]
    check_equal(arm, whole)


def test_a_finished_run_keeps_its_model_and_no_checkpoint(whole: Arm) -> None:
    assert (whole.folder / "model").is_dir()
    assert not (whole.folder / "checkpoints").exists()


def test_a_run_of_other_settings_is_refused(whole: Arm, parts: dict[str, Path]) -> None:
    folder = whole.folder.parent.parent
    with pytest.raises(ConfigError, match=r"data\.\w+ was 1, is now 3"):
        carry_out(arm_in(folder, parts, batch_scale=3.0))

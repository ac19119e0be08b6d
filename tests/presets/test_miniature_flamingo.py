"""The third stage of the miniature, gone on with from a Flamingo that it has left."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from flamingo.foundation.errors import ConfigError
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.presets.training.miniature_flamingo import RECIPE
from tests.presets.ablations.small_ablation import BRIDGE, write_small_parts


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    made = write_small_parts(tmp_path_factory.mktemp("parts"))
    return tuple(f"model.{name}={folder}" for name, folder in made.items())


def built(*settings: str) -> torch.nn.Module:
    recipe = RECIPE.with_overrides([*BRIDGE, *settings])
    return recipe.build(recipe.config).model


def test_it_begins_with_the_bridge_of_another(parts: tuple[str, ...], tmp_path: Path) -> None:
    first = built(*parts)
    assert isinstance(first, FlamingoForConditionalGeneration)
    for name, own in first.named_parameters():
        if own.requires_grad:
            torch.nn.init.normal_(own)
            assert "language_model" not in name
    first.save_pretrained(tmp_path / "first", full=True)
    second = built(*parts, f"model.start_from={tmp_path / 'first'}")
    trained = {name: own for name, own in second.named_parameters() if own.requires_grad}
    assert trained
    for name, own in first.named_parameters():
        if name in trained:
            torch.testing.assert_close(trained[name], own)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("data.pages=-1", r"data\.pages is -1, but must be at least 0"),
        ("data.alignment_batch=0", r"data\.alignment_batch is 0, but must be at least 1"),
        ("data.next_share=1.5", r"data\.next_share is 1\.5, but must be a share"),
    ],
)
def test_wrong_settings_are_named_before_anything_is_written(setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RECIPE.with_overrides([setting])


def test_what_is_no_part_is_told_with_what_to_give(parts: tuple[str, ...], tmp_path: Path) -> None:
    vision, language = (Path(text.partition("=")[2]) for text in sorted(parts, reverse=True))
    with pytest.raises(ConfigError, match=r"has no tokenizer") as told:
        built(f"model.vision={vision}", f"model.language={vision}")
    assert str(vision) in str(told.value)
    with pytest.raises(ConfigError, match=r"--out runs/miniature-vision$"):
        built(f"model.vision={tmp_path / 'nowhere'}", f"model.language={language}")
    with pytest.raises(ConfigError, match=rf"--out {tmp_path}/run$"):
        built(f"model.vision={tmp_path / 'run/model'}", f"model.language={language}")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/model").symlink_to(vision)
    with pytest.raises(ConfigError, match=rf"model\.vision={tmp_path}/run/model"):
        built(f"model.vision={tmp_path / 'run'}", f"model.language={language}")


def test_of_the_same_shape(parts: tuple[str, ...], tmp_path: Path) -> None:
    first = built(*parts)
    assert isinstance(first, FlamingoForConditionalGeneration)
    first.save_pretrained(tmp_path / "first", full=True)
    wider = (*parts, f"model.start_from={tmp_path / 'first'}", "model.num_latents=5")
    with pytest.raises(ConfigError, match=r"has \(4, 16\) where this one has \(5, 16\)"):
        built(*wider)

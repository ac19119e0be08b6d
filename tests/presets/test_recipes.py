"""Every recipe can be read, printed and read back; those for own data run in small."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import torch
import yaml

from flamingo.foundation.errors import ConfigError, DataError
from flamingo.foundation.records import from_plain, yaml_text
from flamingo.inference.model_names import find_model
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.presets.flamingo_training import NOWHERE, FlamingoTraining
from flamingo.presets.recipe import Recipe
from flamingo.presets.training import recipe_from_file, recipe_named, recipe_names
from flamingo.training.reporting import read_log
from tests.presets.own_parts import (
    BRIDGE,
    SHORT,
    own_parts,
    pages_tar,
    pairs_tar,
    questions_jsonl,
)

OWN = [n for n in recipe_names() if isinstance(recipe_named(n).config, FlamingoTraining)]


def test_the_recipes_for_own_data_are_there() -> None:
    names = {"flamingo", "flamingo-3b", "flamingo-9b", "flamingo-80b", "siglip-qwen", "finetune"}
    assert set(OWN) == names


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_is_a_document(name: str) -> None:
    recipe = recipe_named(name)
    module = importlib.import_module(f"flamingo.presets.training.{name.replace('-', '_')}")
    assert recipe.name == name
    assert recipe.description
    assert f"flamingo train {name}" in (module.__doc__ or "")


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_that_was_printed_is_the_recipe(name: str, tmp_path: Path) -> None:
    recipe = recipe_named(name)
    text = yaml_text(recipe.resolved())
    plain = yaml.safe_load(text)
    assert plain.pop("recipe") == name
    assert from_plain(type(recipe.config), plain) == recipe.config
    (tmp_path / "printed.yaml").write_text(text)
    assert recipe_from_file(tmp_path / "printed.yaml") == recipe


def test_a_file_adds_changes_and_removes_data_sets(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "recipe: flamingo-3b\n"
        "data:\n"
        "  vtp: null\n"
        "  m3w: {path: 'm3w/*.tar', batch: 64}\n"
        "  mine: {kind: text, path: 'a.jsonl'}\n"
    )
    data = recipe_from_file(path).config.data
    assert set(data) == {"m3w", "align", "ltip", "mine"}
    assert (data["m3w"].batch, data["m3w"].weight, data["m3w"].max_tokens) == (64, 1.0, 256)
    assert data["mine"].kind == "text"
    assert recipe_named("flamingo-3b").config.data["m3w"].batch == 256


def trained(recipe: Recipe, settings: list[str], run: Path) -> FlamingoForConditionalGeneration:
    assert recipe.with_overrides([*settings, *SHORT]).trainer(run).fit()
    return FlamingoForConditionalGeneration.from_pretrained(run / "model")


def test_public_backbones_are_bridged(tmp_path: Path) -> None:
    """SigLIP's and Qwen's layouts, with a few thousand parameters."""
    settings = [
        *own_parts(tmp_path, "siglip", "qwen3"),
        *BRIDGE,
        f"data.pages.path={pages_tar(tmp_path / 'pages.tar')}",
        f"data.pairs.path={pairs_tar(tmp_path / 'pairs.tar')}",
        "data.pages.batch=2",
        "data.pairs.batch=2",
    ]
    model = trained(recipe_named("siglip-qwen"), settings, tmp_path / "run")
    assert model.config.vision_config.model_type == "siglip_vision_model"
    assert model.config.text_config.model_type == "qwen3"
    # A gated layer before every fourth of the language model's two.
    assert len(model.gated_xattn_dense) == 1


def test_fine_tuning_moves_the_encoder_and_not_the_language_model(tmp_path: Path) -> None:
    settings = [
        "model.start_from=miniature",
        "model.image_size=96",
        f"data.task.path={questions_jsonl(tmp_path)}",
        "data.task.batch=2",
        # Stored in 16 bits, a smaller step would be lost in the export.
        "training.learning_rate=1e-3",
    ]
    model = trained(recipe_named("finetune"), settings, tmp_path / "run")
    start = FlamingoForConditionalGeneration.from_pretrained(find_model("miniature"))
    assert model.vision_encoder.image_size == 96
    for part, is_same in (("vision_encoder", False), ("language_model", True)):
        pairs = zip(
            getattr(model, part).parameters(), getattr(start, part).parameters(), strict=True
        )
        assert all(torch.equal(a, b) for a, b in pairs) == is_same, part


def test_validation_is_looked_at_and_not_learned_from(tmp_path: Path) -> None:
    shard = pairs_tar(tmp_path / "pairs.tar")
    settings = [
        *own_parts(tmp_path),
        *BRIDGE,
        *SHORT,
        *(f"data.a.{s}" for s in ("kind=pairs", f"path={shard}", "batch=2")),
        *(f"validation.b.{s}" for s in ("kind=pairs", f"path={shard}", "batch=2")),
        "training.validate_every=3",
        "training.validation_batches=2",
    ]
    recipe = recipe_named("flamingo").with_overrides(settings)
    trainer = recipe.trainer(tmp_path / "run")
    assert [source.name for source in trainer.sources] == ["a"]
    looked_at = trainer.validator.sources[0]
    first = looked_at.batch(0).batch.pixel_values
    assert torch.equal(first, looked_at.batch(0).batch.pixel_values)
    assert torch.equal(first[0], looked_at.batch(3).batch.pixel_values[0])
    trainer.fit()
    text = (tmp_path / "run/log.jsonl").read_text()
    assert '"b without visuals"' in text
    assert all(
        set(line["loss"]) == {"a"}
        for line in read_log(tmp_path / "run/log.jsonl")
        if "loss" in line
    )


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("flamingo", [], r"no data set is given.*data\.mine\.kind=pairs"),
        ("flamingo-3b", [], r"data\.m3w\.path is not given: .*expects pages.*data\.m3w=null"),
        ("finetune", [], r"model\.start_from is not given"),
        (
            "finetune",
            [
                "model.start_from=miniature",
                "validation.a.kind=pairs",
                f"validation.a.path={NOWHERE}",
            ],
            r"data\.task\.path is not given",
        ),
        (
            "flamingo",
            ["data.a.kind=pairs", "data.a.path=x.tar"],
            r"model\.vision is not given",
        ),
    ],
)
def test_what_is_missing_is_named(name: str, settings: list[str], message: str) -> None:
    recipe = recipe_named(name).with_overrides(settings)
    with pytest.raises(ConfigError, match=f"(?s){message}"):
        recipe.build(recipe.config)


def test_data_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = [*own_parts(tmp_path), *BRIDGE, "data.a.kind=pairs", "data.a.path=no/such/*.tar"]
    recipe = recipe_named("flamingo").with_overrides(settings)
    with pytest.raises(DataError, match=r"nothing fits the pattern no/such"):
        recipe.build(recipe.config)

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from flamingo.data.contrastive_batches import stored_pairs
from flamingo.data.datasets import DatasetConfig
from flamingo.evaluation.retrieval import retrieve
from flamingo.evaluation.two_towers import ContrastiveEmbedder
from flamingo.evaluation.zero_shot_classification import zero_shot_classification
from flamingo.foundation.errors import ConfigError
from flamingo.foundation.records import yaml_text
from flamingo.model.checkpoints.vision import load_vision_encoder, save_vision_encoder
from flamingo.model.nfnet import NFNetConfig
from flamingo.model.vision_encoder import build_vision_encoder
from flamingo.presets.recipe import Recipe
from flamingo.presets.training import recipe_from_file, recipe_named
from flamingo.training.reporting import read_log
from tests.data.captioned_pictures import COLORS, write_pictures
from tests.data.tokenizers_for_tests import byte_level_bpe

SMALL = [
    "model.image_size=32",
    "model.text_dim=16",
    "model.text_layers=1",
    "model.text_heads=2",
    "model.max_tokens=24",
    "model.shared_dim=8",
    "training.precision=fp32",
    "training.num_workers=0",
    "training.device=cpu",
    "training.log_every=1",
]


def small(folder: Path, *more: str) -> Recipe:
    torch.manual_seed(0)
    config = NFNetConfig(variant="custom", depths=[1], channels=[16], image_size=32)
    save_vision_encoder(build_vision_encoder(config), folder / "vision")
    byte_level_bpe().save_pretrained(folder / "tokenizer")
    where = [f"model.vision={folder / 'vision'}", f"model.tokenizer={folder / 'tokenizer'}"]
    return recipe_named("contrastive").with_overrides([*where, *SMALL, *more])


def test_the_defaults_are_the_papers() -> None:
    config = recipe_named("contrastive").config
    training, model = config.training, config.model
    assert (training.steps, training.learning_rate, training.warmup_steps) == (1_200_000, 1e-3, 0)
    assert (training.schedule, training.final_learning_rate_fraction) == ("linear", 0.0)
    assert (training.clip_norm, training.adaptive_clip, training.weight_decay) == (10.0, 0.01, 0.0)
    assert (training.optimizer, training.mixing) == ("adamw", "accumulate")
    assert (model.vision_variant, model.image_size, model.shared_dim) == ("dm_nfnet_f6", 288, 1_376)
    assert config.label_smoothing == 0.1
    assert config.data["pairs"].batch == 16_384
    assert config.data["pairs"].flip == 0.5
    assert config.data["pairs"].color_jitter > 0


def test_a_short_run_on_two_data_sets_leaves_both_towers(tmp_path: Path) -> None:
    recipe = small(
        tmp_path,
        "training.steps=30",
        "training.learning_rate=0.01",
        "rows_at_once=3",
        f"data.pairs.path={write_pictures(tmp_path / 'one', num=12)}",
        "data.pairs.batch=4",
        "data.more.kind=pairs",
        f"data.more.path={write_pictures(tmp_path / 'two', side=40)}",
        "data.more.batch=8",
        "data.more.weight=0.5",
        f"validation.seen={{kind: pairs, path: {tmp_path / 'one'}, batch: 4, shuffle: false}}",
        "training.validate_every=30",
        "training.validation_batches=1",
    )
    trainer = recipe.trainer(tmp_path / "run")
    assert trainer.fit()
    lines = [line for line in read_log(tmp_path / "run/log.jsonl") if "loss" in line]
    assert set(lines[0]["loss"]) == {"pairs", "more"}
    assert lines[-1]["loss"]["pairs"] < lines[0]["loss"]["pairs"]

    model = tmp_path / "run/model"
    pixels = torch.randn(1, 3, 32, 32)
    trained = trainer.model.vision_encoder.eval()
    assert torch.equal(load_vision_encoder(model).eval()(pixels), trained(pixels))
    towers = ContrastiveEmbedder.from_pretrained(model, device="cpu")
    stored = list(stored_pairs("one", DatasetConfig("pairs", str(tmp_path / "one")), []))
    # Three pictures have each color, and so the same caption.
    assert retrieve(towers, stored).text_to_image[5] == 100.0
    colors = zero_shot_classification(
        towers,
        [visual for visual, _ in stored],
        [number % len(COLORS) for number in range(len(stored))],
        class_names=list(COLORS),
        templates=["a {class} thing"],
    )
    assert colors.top_1 > 90


def test_an_nfnet_by_name_starts_from_random_weights(tmp_path: Path) -> None:
    path = write_pictures(tmp_path / "data", num=2)
    recipe = small(tmp_path, "model.vision=null", "model.vision_variant=nfnet_f0")
    recipe = recipe.with_overrides([f"data.pairs.path={path}", "model.drop_path_rate=0.1"])
    made = recipe.build(recipe.config)
    assert made.model.vision_encoder.config.variant == "nfnet_f0"
    assert made.model.vision_encoder.image_size == 32
    assert made.model.text_projection.weight.shape == (8, 16)


def test_the_recipe_of_a_run_is_a_recipe_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "recipe: contrastive\nmodel: {tokenizer: words}\n"
        "data: {pairs: null, align: {kind: pairs, path: a.tar, batch: 6}}\n"
    )
    config = recipe_from_file(path).config
    assert list(config.data) == ["align"]
    assert config.model.shared_dim == 1_376


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["model.tokenizer=null"], r"model\.tokenizer=FOLDER"),
        ([], r"data\.pairs\.path is not given"),
        (["data.pairs=null"], "There is nothing to train on"),
    ],
)
def test_what_must_be_given_is_asked_for(settings: list[str], message: str, tmp_path: Path) -> None:
    recipe = small(tmp_path, *settings)
    with pytest.raises(ConfigError, match=message):
        recipe.build(recipe.config)


@pytest.mark.slow
def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    recipe = small(
        tmp_path,
        "training.steps=4",
        f"data.pairs.path={write_pictures(tmp_path / 'data', num=12)}",
        "data.pairs.batch=6",
        "rows_at_once=2",
    )
    recipe.trainer(tmp_path / "one").fit()
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml_text(recipe.resolved()))
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [*torchrun, "-m", "flamingo.cli.main", "train", str(path)]
    subprocess.run(
        [*command, "--out", str(tmp_path / "two")],
        check=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    losses = [
        [line["loss"]["pairs"] for line in read_log(tmp_path / run / "log.jsonl") if "loss" in line]
        for run in ("one", "two")
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    weights = [load_file(tmp_path / run / "model/model.safetensors") for run in ("one", "two")]
    for name, value in weights[0].items():
        assert torch.allclose(weights[1][name], value, atol=1e-4), name

"""Hyper-parameters, mixture and trained parts of the paper's runs (Sec. 2.4, 3.1, App. B.1.2)."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from flamingo.presets.bridge import assemble
from flamingo.presets.flamingo_training import FlamingoTraining
from flamingo.presets.from_preset import build_preset
from flamingo.presets.models import MODELS, model_preset
from flamingo.presets.parameter_table import (
    GATED_LAYERS,
    LANGUAGE_MODEL,
    NEW_TOKENS,
    RESAMPLER,
    VISION_ENCODER,
    WIDENING,
    parameter_table,
)
from flamingo.presets.training import recipe_named
from flamingo.training.config import TrainingConfig
from flamingo.training.parameter_groups import parameter_groups
from flamingo.training.schedule import learning_rate_factor

M3W, ALIGN, LTIP, VTP = "m3w", "align", "ltip", "vtp"


def settings(name: str = "flamingo-3b") -> FlamingoTraining:
    config = recipe_named(name).config
    assert isinstance(config, FlamingoTraining)
    return config


def rate(step: int, training: TrainingConfig) -> float:
    return training.learning_rate * learning_rate_factor(step, training)


@pytest.mark.parametrize("name", MODELS)
def test_optimizer_and_schedule(name: str) -> None:
    training = settings(name).training
    assert training.optimizer == "adamw"
    assert (training.learning_rate, training.warmup_steps) == (1e-4, 5_000)
    assert (training.steps, training.schedule) == (500_000, "constant")
    assert (training.clip_norm, training.weight_decay) == (1.0, 0.1)
    assert training.z_loss == 0.0
    assert training.mixing == "accumulate"
    assert training.precision == "bf16"


def test_the_rate_rises_for_5000_updates_and_stays() -> None:
    training = settings().training
    rates = [rate(step, training) for step in (0, 2_499, 4_999, 5_000, 499_999)]
    assert rates == pytest.approx([2e-8, 5e-5, 1e-4, 1e-4, 1e-4], rel=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_the_mixture(name: str) -> None:
    data = settings(name).data
    assert {name: dataset.weight for name, dataset in data.items()} == {
        M3W: 1.0,
        ALIGN: 0.2,
        LTIP: 0.2,
        VTP: 0.03,
    }
    assert [data[n].batch for n in (M3W, ALIGN, LTIP, VTP)] == [256, 512, 512, 64]
    assert [data[n].max_tokens for n in (M3W, ALIGN, LTIP, VTP)] == [256, 32, 64, 64]
    assert [data[n].kind for n in (M3W, ALIGN, LTIP, VTP)] == ["pages", "pairs", "pairs", "videos"]
    assert (data[M3W].p_next, data[M3W].max_visuals) == (0.5, 5)
    assert (data[VTP].num_frames, data[VTP].fps) == (8, 1.0)
    assert all(data[n].space_probability == 0.5 for n in (ALIGN, LTIP, VTP))


def test_only_80b_is_sharded() -> None:
    sharded = [name for name in MODELS if settings(name).training.parallel == "shard"]
    assert sharded == ["flamingo-80b"]


@pytest.mark.parametrize("name", MODELS)
def test_what_is_trained_is_what_the_preset_trains(name: str) -> None:
    chosen = replace(settings(name).model, vision="random", language="random")
    with torch.device("meta"):
        ours = {row.part: row for row in parameter_table(assemble(chosen).model)}
    preset = {row.part: row for row in parameter_table(build_preset(model_preset(name)))}
    assert ours == preset
    frozen = [part for part, row in ours.items() if row.training == "frozen"]
    assert frozen == [LANGUAGE_MODEL, VISION_ENCODER]
    trained = {part for part, row in ours.items() if row.training == "trainable"}
    assert trained == {GATED_LAYERS, RESAMPLER, WIDENING, NEW_TOKENS}


def test_only_the_resampler_does_not_decay_among_the_matrices() -> None:
    config = settings()
    with torch.device("meta"):
        model = assemble(replace(config.model, vision="random", language="random")).model
    decays = {
        name: group.weight_decay
        for group in parameter_groups(model, config.training)
        for name in group.names
    }
    of_resampler = {decay for name, decay in decays.items() if name.startswith("resampler.")}
    matrices = {
        decays[name]
        for name, value in model.named_parameters()
        if name.startswith("gated_xattn_dense.") and min(value.shape) > 1 and value.ndim == 2
    }
    assert of_resampler == {0.0}
    assert matrices == {0.1}


def test_pictures_have_320_pixels_and_in_fine_tuning_480() -> None:
    assert {settings(name).model.image_size for name in MODELS} == {320}
    finetune = settings("finetune")
    assert finetune.model.image_size == 480
    assert not finetune.model.freeze_vision_encoder
    assert finetune.model.freeze_language_model


def test_fine_tuning_decays_by_factors_of_10() -> None:
    config = settings("finetune")
    training = config.training
    assert (training.schedule, training.decay_factor) == ("steps", 0.1)
    assert 3e-8 <= training.learning_rate <= 1e-5
    first, second = training.decay_at
    rates = [rate(step, training) for step in (0, first, second)]
    assert rates == pytest.approx([1e-5, 1e-6, 1e-7], rel=1e-6)
    assert [dataset.batch in (8, 16) for dataset in config.data.values()] == [True]

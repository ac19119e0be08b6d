"""Every row as a run: it builds, learns, and answers."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch

from flamingo.data.batching import Batch
from flamingo.foundation.errors import ConfigError
from flamingo.miniature.flamingo_data import DrawnSource
from flamingo.miniature.tasks import HELD_OUT_TASKS
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.presets.ablations.arms import Arms, scaled
from flamingo.presets.ablations.execution import carry_out, seconds_per_update
from flamingo.presets.ablations.result import result_in
from flamingo.presets.ablations.rows import BASELINE, ROWS
from flamingo.presets.training.miniature_flamingo import RECIPE
from flamingo.training.export import MODEL
from tests.presets.ablations.small_ablation import small_config

STRINGS_OF_A_FEW = ("schedule", "optimizer", "mixing", "precision", "parallel")
"""Settings of text that take a few values only."""

OWN_ENCODER = [name for name, row in ROWS.items() if row.encoder is not None]

QUICK = (BASELINE, "without-pages", "round-robin", "p-next-1", "grafting", "resampler-mlp")
QUICK += ("xattn-every-2nd", "lm-unfrozen", "vision-unfrozen-scratch")
"""Rows of which no two are trained in the same way; what they build has tests of its own."""


def row_or_slow(name: str) -> object:
    return name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def arms(parts: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Arms:
    return Arms(small_config(parts), tmp_path_factory.mktemp("ablation"))


@pytest.mark.parametrize("name", [row_or_slow(name) for name in ROWS if name not in OWN_ENCODER])
def test_every_row_trains_and_answers(arms: Arms, name: str) -> None:
    arm = arms.arm(ROWS[name], 0)
    assert carry_out(arm)
    result = result_in(arm.folder)
    assert result is not None
    assert {task: len(answers) for task, answers in result.right.items()} == {"question-count": 2}
    assert 0 < result.num_trained <= result.num_parameters
    assert result.seconds_per_step > 0


@pytest.mark.parametrize("name", OWN_ENCODER)
def test_rows_with_an_encoder_of_their_own_see_with_it(arms: Arms, name: str) -> None:
    encoder, arm = arms.encoder(ROWS[name]), arms.arm(ROWS[name], 0)
    assert carry_out(encoder)
    assert any(metric.endswith("_held_out") for metric in result_in(encoder.folder).metrics)
    assert carry_out(arm)
    seeing = FlamingoForConditionalGeneration.from_pretrained(arm.folder / MODEL)
    assert seeing.vision_encoder.width == {"vision-small": 96, "vision-vit": 128}.get(name, 192)


@pytest.mark.parametrize(
    ("name", "part"), [("lm-unfrozen", "language_model"), ("vision-unfrozen", "vision_encoder")]
)
def test_unfrozen_parts_move_and_those_from_scratch_begin_elsewhere(
    arms: Arms, name: str, part: str
) -> None:
    pretrained, scratch, frozen = (
        arms.arm(ROWS[row], 0).recipe for row in (name, f"{name}-scratch", BASELINE)
    )
    models = [one.build(one.config).model for one in (pretrained, scratch, frozen)]
    weights = [
        torch.cat([p.flatten() for p in getattr(model, part).parameters()]) for model in models
    ]
    assert torch.equal(weights[0], weights[2])
    assert not torch.allclose(weights[1], weights[2])
    learns = [any(p.requires_grad for p in getattr(m, part).parameters()) for m in models]
    assert learns == [True, True, False]


def test_the_baseline_has_the_papers_choices_and_the_shipped_recipe_others(
    parts: dict[str, Path], tmp_path: Path
) -> None:
    arms = Arms(replace(small_config(parts), settings=()), tmp_path)
    baseline, shipped = arms.arm(ROWS[BASELINE], 0).recipe.config, RECIPE.config
    assert (baseline.model.num_latents, shipped.model.num_latents) == (16, 80)
    assert baseline.model.resampler_local_latents == baseline.model.resampler_positions == 0
    assert shipped.model.resampler_local_latents == 64
    assert (baseline.training.mixing, shipped.training.mixing) == ("accumulate", "round_robin")
    assert (baseline.data.questions, shipped.data.questions) == (0, 24)
    alternating = arms.arm(ROWS["round-robin"], 0)
    assert alternating.recipe.config.training.mixing == "round_robin"
    assert alternating.updates == 3


def test_all_rows_have_the_baselines_budget(arms: Arms) -> None:
    """Apart from what a row is about: its sources, or how often they make an update."""
    baseline = arms.arm(ROWS[BASELINE], 3).recipe.config
    for row in ROWS.values():
        arm = arms.arm(row, 3)
        config = arm.recipe.config
        assert config.training.steps == baseline.training.steps * arm.updates
        assert config.training.seed == config.data.seed == 3
        assert config.training.learning_rate == baseline.training.learning_rate
        left_out = {f"data.{name}=0" for name in ("pages", "pairs", "clips")} & set(row.settings)
        changed = {
            field.name
            for field in fields(config.data)
            if getattr(config.data, field.name) != getattr(baseline.data, field.name)
        }
        allowed = {"next_share"} | {text.partition("=")[0][5:] for text in left_out}
        if left_out:
            allowed |= {"alignment_batch"}
        assert changed <= allowed, row.name


def test_rows_share_their_batches(arms: Arms) -> None:
    made = {}
    for name in (BASELINE, "grafting", "round-robin"):
        recipe = arms.arm(ROWS[name], 0).recipe
        made[name] = recipe.build(recipe.config).sources
    for first, *others in zip(*made.values(), strict=True):
        for other in others:
            assert torch.equal(first.batch(1).input_ids, other.batch(1).input_ids)
            assert torch.equal(first.batch(1).pixel_values, other.batch(1).pixel_values)


@pytest.mark.parametrize(("settings", "num_sources"), [((), 3), (("data.clips=0",), 2)])
def test_round_robin_goes_through_every_batch_of_the_others(
    arms: Arms, settings: tuple[str, ...], num_sources: int
) -> None:
    config = replace(arms.config, settings=(*arms.config.settings, *settings))
    baseline, arm = (
        Arms(config, arms.folder).arm(ROWS[name], 0) for name in (BASELINE, "round-robin")
    )
    assert arm.updates == num_sources == len(arm.recipe.build(arm.recipe.config).sources)
    assert arm.recipe.config.training.steps == num_sources * baseline.recipe.config.training.steps


def test_every_row_sees_as_much_in_the_alignment(
    parts: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many sequences without a source as with all; trained, so that it is what happens."""
    drawn: list[tuple[str, int]] = []
    original = DrawnSource.batch

    def batch(source: DrawnSource, step: int) -> Batch:
        made = original(source, step)
        drawn.append((source.name, len(made.input_ids)))
        return made

    monkeypatch.setattr(DrawnSource, "batch", batch)
    config = small_config(parts, steps=3)
    config = replace(config, settings=(*config.settings, "data.alignment_batch=2"))
    arms = Arms(config, tmp_path)
    totals = {}
    for name in (BASELINE, "without-pages", "round-robin"):
        drawn.clear()
        recipe = arms.arm(ROWS[name], 0).recipe
        assert recipe.trainer(tmp_path / name).fit()
        aligned = [size for source, size in drawn if source.startswith("alignment")]
        assert len(aligned) < len(drawn)
        totals[name] = sum(aligned)
    assert totals == dict.fromkeys(totals, 2 * 3)


def test_no_setting_is_ignored(parts: dict[str, Path], tmp_path: Path) -> None:
    """What is given for all rows reaches the runs, or is refused with what to do instead."""
    config = small_config(parts, settings=())
    before = Arms(config, tmp_path).arm(ROWS[BASELINE], 0).recipe
    refused: dict[str, str] = {}
    for section, values in before.resolved().items():
        for name, value in values.items() if isinstance(values, dict) else ():
            other = {bool: not value, int: 7, float: 0.123, str: "elsewhere"}.get(type(value))
            if name in STRINGS_OF_A_FEW or other is None:
                continue
            setting = f"{section}.{name}={other}"
            try:
                changed = replace(config, settings=(setting,))
            except ConfigError as error:
                refused[f"{section}.{name}"] = str(error)
                continue
            assert Arms(changed, tmp_path).arm(ROWS[BASELINE], 0).recipe != before, setting
    assert {"training.steps", "training.device", "data.seed", "model.vision"} <= refused.keys()
    assert not {"data.pages", "data.alignment_batch", "training.learning_rate"} & refused.keys()
    assert all("Give --" in told or "Leave it out" in told for told in refused.values())


def test_a_row_that_changes_nothing_is_the_baselines_run(arms: Arms) -> None:
    config = replace(arms.config, settings=(*arms.config.settings, "data.next_share=0.5"))
    here = Arms(config, arms.folder)
    baseline = here.arm(ROWS[BASELINE], 0)
    assert here.arm(ROWS["p-next-half"], 0) == baseline
    assert here.arm(ROWS["p-next-0"], 0).folder != baseline.folder


def test_tuning_has_other_seeds_and_queries_than_the_table(arms: Arms) -> None:
    row = ROWS["no-tanh-gate"]
    tuning, arm = arms.tuning(row, 0.5), arms.arm(row, 0, 0.5)
    assert tuning.recipe.config.training.learning_rate == 0.5 * (
        RECIPE.config.training.learning_rate
    )
    assert tuning.recipe.config.data.seed != arm.recipe.config.data.seed
    assert tuning.sweep.seed != arm.sweep.seed
    assert tuning.folder != arm.folder


def test_a_source_that_is_left_out_stays_out() -> None:
    assert scaled(0, 0.5) == 0
    assert scaled(1, 0.1) == 1
    assert scaled(24, 0.5) == 12


def test_step_time_leaves_the_alignment_out() -> None:
    log = [{"step": 10 * n, "seconds_per_step": 9.0 if n <= 3 else float(n)} for n in range(1, 8)]
    assert seconds_per_update(log, 30) == 6.0
    assert seconds_per_update(log[:1], 30) == 9.0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"batch_scale": 0.0}, "must be positive"),
        ({"batch_scale": float("nan")}, "must be positive"),
        ({"learning_rates": ()}, "must be positive"),
        ({"learning_rates": (1.0, float("nan"))}, "must be positive"),
        ({"learning_rates": (float("inf"),)}, "must be positive"),
        ({"settings": ("training.steps=5",)}, "decides training.steps.*\nGive --steps"),
        ({"settings": ("training={seed: 5}",)}, "its budget decides training"),
        ({"tasks": HELD_OUT_TASKS[:1]}, "held-out tasks are kept out"),
    ],
)
def test_impossible_budgets_are_refused(
    parts: dict[str, Path], changed: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        small_config(parts, **changed)

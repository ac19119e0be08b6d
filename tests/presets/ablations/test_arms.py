"""Every row as a run: it builds, learns, and answers."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch

from flamingo.foundation.errors import ConfigError
from flamingo.miniature.tasks import HELD_OUT_TASKS
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.presets.ablations.arms import Arms, scaled
from flamingo.presets.ablations.execution import carry_out, seconds_per_update
from flamingo.presets.ablations.result import result_in
from flamingo.presets.ablations.rows import BASELINE, ROWS
from flamingo.presets.training.miniature_flamingo import RECIPE
from flamingo.training.export import MODEL
from tests.presets.ablations.small_ablation import small_config

OWN_ENCODER = [name for name, row in ROWS.items() if row.encoder is not None]


@pytest.fixture(scope="module")
def arms(parts: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Arms:
    return Arms(small_config(parts), tmp_path_factory.mktemp("ablation"))


@pytest.mark.parametrize("name", [name for name in ROWS if name not in OWN_ENCODER])
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


def test_all_rows_have_the_baselines_budget(arms: Arms) -> None:
    """Apart from what a row is about: its sources, or how often they make an update."""
    baseline = arms.arm(ROWS[BASELINE], 3).recipe.config
    for row in ROWS.values():
        config = arms.arm(row, 3).recipe.config
        assert config.training.steps == baseline.training.steps * row.updates
        assert config.training.seed == config.data.seed == 3
        assert config.training.learning_rate == baseline.training.learning_rate
        left_out = {f"data.{name}=0" for name in ("pages", "pairs", "clips")} & set(row.settings)
        changed = {
            field.name
            for field in fields(config.data)
            if getattr(config.data, field.name) != getattr(baseline.data, field.name)
        }
        allowed = {"next_share"} | {text.partition("=")[0][5:] for text in left_out}
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


def test_round_robin_goes_through_every_batch_of_the_others(arms: Arms) -> None:
    recipe = arms.arm(ROWS["round-robin"], 0).recipe
    assert ROWS["round-robin"].updates == len(recipe.build(recipe.config).sources)


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
        ({"learning_rates": ()}, "must be positive"),
        ({"tasks": HELD_OUT_TASKS[:1]}, "held-out tasks are kept out"),
    ],
)
def test_impossible_budgets_are_refused(
    parts: dict[str, Path], changed: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        small_config(parts, **changed)

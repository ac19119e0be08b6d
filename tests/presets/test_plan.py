"""A plan says what a run takes, whether it fits, and what would make it fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.measuring import parameter_bytes, peak_bytes
from flamingo.data.batching import Batch
from flamingo.foundation.errors import ConfigError
from flamingo.presets import memory_plan
from flamingo.presets.from_preset import build_preset
from flamingo.presets.memory_plan import GIB
from flamingo.presets.models import model_preset
from flamingo.presets.plan import PAPER_BATCHES, Plan, plan
from flamingo.presets.plan_settings import Machine, RunSettings
from flamingo.presets.step_cost import BatchShape, StepCost
from flamingo.presets.step_meter import Flops
from flamingo.training.objective import FlamingoObjective
from flamingo.training.trainer import Trainer
from tests.presets.small_flamingos import CASES, batch_of
from tests.tiny import tiny_flamingo
from tests.training.toy_training import CONFIG

MACHINE = Machine(num_gpus=1, gpu_memory=8.0, peak_flops=1e12, mfu=0.5)
FP32 = RunSettings(precision="fp32", micro_batches=1, steps=1_000)
PAGES = BatchShape("pages", rows=6, tokens=40, visuals=2)
PAIRS = BatchShape("pairs", rows=4, tokens=20)


def cost_by_formula(
    model: Any, shape: BatchShape, rows: int, *, activation_checkpointing: bool, **_: Any
) -> StepCost:
    """Stands in for `step_cost`, which has tests of its own: the search is what is tested here."""
    number = rows * shape.tokens
    again = number if activation_checkpointing else 0
    size = 10_000 + number * (500 if activation_checkpointing else 2_000)
    return StepCost(rows, {"text": Flops(number, 2 * number, again)}, size, {"activations": size})


@pytest.fixture
def simple(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flamingo.presets.plan.step_cost", cost_by_formula)


def tiny_plan(
    machine: Machine = MACHINE, settings: RunSettings = FP32, *batches: BatchShape
) -> Plan:
    return plan(tiny_flamingo(), machine, settings, batches or (PAGES, PAIRS))


def with_room_for(num_bytes: float, num_gpus: int = 1) -> Machine:
    """A machine whose memory leaves this much besides the reserve."""
    return Machine(num_gpus, (num_bytes + GIB) / GIB / 0.95, peak_flops=1e12)


def sizes(made: Plan) -> dict[str, int]:
    return {item.name: item.num_bytes for item in (*made.constant, *made.working)}


@dataclass
class Source:
    shape: BatchShape
    case: Any
    weight: float = 1.0

    @property
    def name(self) -> str:
        return self.shape.name

    def batch(self, step: int) -> Batch:
        return batch_of(self.case, self.shape, seed=step)


@pytest.mark.parametrize("is_checkpointed", [False, True])
def test_memory_is_what_a_run_takes(is_checkpointed: bool, tmp_path: Path) -> None:
    case = CASES["pages"]
    shape = replace(case.shape, rows=4)
    settings = RunSettings(
        activation_checkpointing=is_checkpointed, micro_batches=2, precision="fp32"
    )
    model = case.model()
    planned = plan(model, MACHINE, settings, [shape])
    weights = parameter_bytes(model)
    config = replace(CONFIG, steps=2, micro_batches=2, activation_checkpointing=is_checkpointed)
    trainer = Trainer(model, FlamingoObjective(), [Source(shape, case)], config, tmp_path)
    measured = weights + peak_bytes(trainer.fit)
    kept = planned.num_kept_bytes - sizes(planned)["reserve"]
    working = planned.num_bytes - planned.num_kept_bytes
    assert kept + working == pytest.approx(measured, rel=0.15)
    # The larger part is there all the time; what comes and goes has to fit by itself too.
    assert working == pytest.approx(measured - kept, rel=0.15)


@pytest.mark.usefixtures("simple")
def test_time_is_operations_by_speed() -> None:
    made = tiny_plan()
    assert made.seconds_per_update == pytest.approx(made.flops_per_update / 0.5e12)
    assert made.days == pytest.approx(1_000 * made.seconds_per_update / 86_400)
    tokens, images = 6 * 40 + 4 * 20, 6 * 2 + 4
    assert made.tokens_per_second * made.seconds_per_update == pytest.approx(tokens)
    assert made.images_per_second * made.seconds_per_update == pytest.approx(images)


@pytest.mark.usefixtures("simple")
def test_the_gpu_with_the_most_rows_sets_the_pace() -> None:
    batches = (replace(PAIRS, rows=3),)
    one = tiny_plan(MACHINE, FP32, *batches).seconds_per_update
    two = tiny_plan(replace(MACHINE, num_gpus=2), FP32, *batches).seconds_per_update
    assert two == pytest.approx(2 / 3 * one)


@pytest.mark.usefixtures("simple")
def test_checkpointing_costs_time_and_no_more_operations_of_the_model() -> None:
    plain, again = tiny_plan(), tiny_plan(MACHINE, replace(FP32, activation_checkpointing=True))
    assert again.flops_per_update == plain.flops_per_update
    assert again.seconds_per_update / plain.seconds_per_update == pytest.approx(4 / 3)


@pytest.mark.usefixtures("simple")
def test_micro_batches_are_the_fewest_that_fit() -> None:
    automatic = replace(FP32, micro_batches=None)
    whole, halves, quarters = (
        tiny_plan(MACHINE, replace(FP32, micro_batches=number)) for number in (1, 2, 4)
    )
    reserve = sizes(whole)["reserve"]
    for made in (whole, halves, quarters):
        room = made.num_bytes - reserve
        found = tiny_plan(with_room_for(room * 1.001), automatic)
        assert found.fits
        assert found.settings.micro_batches == made.settings.micro_batches
        assert found.advice == ""


@pytest.mark.usefixtures("simple")
@pytest.mark.parametrize(
    ("num_gpus", "settings", "advice"),
    [
        (1, FP32, "with micro_batches="),
        (4, replace(FP32, micro_batches=None), "with parallel=shard and micro_batches="),
    ],
)
def test_advice_names_the_first_change_that_helps(
    num_gpus: int, settings: RunSettings, advice: str
) -> None:
    generous = replace(MACHINE, num_gpus=num_gpus)
    least = tiny_plan(generous, replace(settings, micro_batches=6))
    if num_gpus == 1:
        room = least.num_bytes - sizes(least)["reserve"]
    else:
        sharded = tiny_plan(generous, replace(settings, micro_batches=2, parallel="shard"))
        room = sharded.num_bytes - sizes(sharded)["reserve"]
    made = tiny_plan(with_room_for(room * 1.001, num_gpus), settings)
    assert not made.fits
    assert made.advice.startswith(f"It fits {advice}"), made.advice


@pytest.mark.usefixtures("simple")
def test_what_never_fits_is_said_so() -> None:
    made = tiny_plan(with_room_for(1_000), replace(FP32, micro_batches=None))
    assert not made.fits
    assert "any number" in made.advice


def test_sharding_divides_what_is_kept_and_gathers_what_runs() -> None:
    model = build_preset(model_preset("flamingo-9b"))
    trained = sum(value.numel() for value in model.parameters() if value.requires_grad)
    whole = {item.name: item.num_bytes for item in memory_plan.weights(model, 8, "replicate")}
    parts = {item.name: item.num_bytes for item in memory_plan.weights(model, 8, "shard")}
    assert whole["trained weights, fp32"] == 4 * trained
    assert whole["AdamW's two moments, fp32"] == 8 * trained
    assert memory_plan.gradients(model, 8, "replicate").num_bytes == 4 * trained
    assert parts.pop("vision encoder, frozen") == whole["vision encoder, frozen"]
    for name, size in parts.items():
        assert size == pytest.approx(whole[name] / 8, rel=1e-6)
    assert memory_plan.gathered(model, 8, "replicate") == []
    assert memory_plan.gathered(model, 1, "shard") == []
    gathered = {item.name: item.num_bytes for item in memory_plan.gathered(model, 8, "shard")}
    layer = max(sum(p.numel() for p in layer.parameters()) for layer in model.host.layers)
    gated = max(sum(p.numel() for p in block.parameters()) for block in model.gated_xattn_dense)
    assert gathered["layers on their way, gathered"] == 3 * 2 * max(layer, gated)
    assert gathered["a layer's gradient before sharding"] == 6 * gated


@pytest.mark.usefixtures("simple")
def test_replicated_gradients_need_room_to_be_added_up() -> None:
    few = BatchShape("few", rows=4, tokens=4)
    alone, among_four = (
        tiny_plan(replace(MACHINE, num_gpus=number), FP32, few) for number in (1, 4)
    )
    trained = sizes(alone)["trained weights, fp32"]
    assert sizes(among_four)["gradients of all GPUs, being added up"] == trained
    assert sizes(among_four)["gradients"] == trained


def test_the_papers_update() -> None:
    assert {shape.name: shape.rows for shape in PAPER_BATCHES} == {
        "M3W": 256,
        "ALIGN": 512,
        "LTIP": 512,
        "VTP": 64,
    }
    assert sum(shape.num_frames for shape in PAPER_BATCHES) == 256 * 5 + 512 + 512 + 64 * 8


def test_wrong_values_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1 GPU, not 0"):
        Machine(0, 80.0, 1e12)
    with pytest.raises(ConfigError, match="must be positive, not -1"):
        Machine(1, -1.0, 1e12)
    with pytest.raises(ConfigError, match="from 0 to 1, not 40"):
        Machine(1, 80.0, 1e12, mfu=40.0)
    with pytest.raises(ConfigError, match="at least 1, not 0"):
        RunSettings(steps=0)
    with pytest.raises(ConfigError, match="nothing to plan"):
        plan(tiny_flamingo(), MACHINE, FP32, [])

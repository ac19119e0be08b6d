"""Speed is measured of the prompts that are said, and leaves the model as it was."""

from __future__ import annotations

from typing import Any

import pytest

from flamingo.foundation.errors import ConfigError, SequenceError
from flamingo.inference.speed import Measured, measure_speed, num_steps
from flamingo.inference.speed_task import SpeedTask
from flamingo.model.weights_identity import weights_stamp
from tests.tiny import tiny_flamingo

QUICK: dict[str, Any] = {"rounds": 1, "queries": 2, "new_tokens": 2, "tokens_per_shot": 4}


def test_all_that_is_measured_and_nothing_is_changed() -> None:
    model = tiny_flamingo()
    before = model.generation_config.to_dict(), weights_stamp(model), model.training
    task, steps = SpeedTask(2, batch=2, **QUICK), []
    speed = measure_speed(model, task, lambda: steps.append(0))
    assert (model.generation_config.to_dict(), weights_stamp(model), model.training) == before
    assert len(steps) == num_steps(task)
    found = {name: value for name, value in vars(speed).items() if isinstance(value, Measured)}
    assert len(found) == 6
    assert all(0 < one.lowest <= one.median <= one.highest for one in found.values())
    assert speed.peak_bytes is not None
    assert speed.peak_bytes > 0
    assert speed.support_cache_bytes is not None
    assert speed.support_cache_bytes > 0


def test_without_supports_there_is_nothing_to_read_before() -> None:
    task, steps = SpeedTask(0, **QUICK), []
    speed = measure_speed(tiny_flamingo(), task, lambda: steps.append(0))
    assert len(steps) == num_steps(task)
    assert speed.first_token_seconds_supports_read is None
    assert speed.queries_per_second_shared_supports is None
    assert speed.queries_per_second_visuals_seen is None
    assert speed.support_cache_bytes is None
    assert speed.first_token_seconds.median > 0


def test_one_token_has_no_next_one() -> None:
    task = SpeedTask(0, **{**QUICK, "new_tokens": 1})
    assert measure_speed(tiny_flamingo(), task).token_seconds is None


def test_the_spread_is_that_of_the_rounds() -> None:
    assert Measured.of([3.0, 1.0, 2.0]) == Measured(median=2.0, lowest=1.0, highest=3.0)


def test_prompts_that_a_model_cannot_read_are_refused() -> None:
    model = tiny_flamingo("opt")
    most = model.config.get_text_config().max_position_embeddings
    with pytest.raises(SequenceError, match=f"reads at most {most}"):
        measure_speed(model, SpeedTask(most // 20 + 1))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"shots": -1}, "shots is -1, but must be at least 0"),
        ({"shots": 0, "batch": 0}, "batch is 0, but must be at least 1"),
        ({"shots": 0, "tokens_per_shot": 1}, "tokens-per-shot is 1, but must be at least 2"),
        ({"shots": 0, "batch": 3}, "no whole batches of 3.*Ask 15 or 18 queries"),
        ({"shots": 0, "batch": 20}, "Ask 20 queries"),
        ({"shots": 0, "beams": 2, "is_compiled": True}, "beams is 2, but .* never compiles beam"),
    ],
)
def test_impossible_tasks_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        SpeedTask(**settings)

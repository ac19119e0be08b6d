from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.training.config import TrainingConfig
from flamingo.training.schedule import learning_rate_factor

PAPER = TrainingConfig()


def test_the_defaults_are_the_papers() -> None:
    assert (PAPER.learning_rate, PAPER.warmup_steps, PAPER.steps) == (1e-4, 5_000, 500_000)
    assert (PAPER.weight_decay, PAPER.clip_norm, PAPER.schedule) == (0.1, 1.0, "constant")
    assert (PAPER.optimizer, PAPER.mixing) == ("adamw", "accumulate")


def test_warm_up_is_linear_from_zero_then_the_rate_stays() -> None:
    factors = [learning_rate_factor(step, PAPER) for step in range(6_000)]
    steps = [
        after - before for before, after in zip([0.0, *factors], factors[:5_000], strict=False)
    ]
    assert steps == pytest.approx([1 / 5_000] * 5_000)
    assert set(factors[4_999:]) == {1.0}


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
@given(floor=st.floats(0, 1), warmup=st.integers(0, 10), decay=st.integers(1, 50) | st.none())
def test_falling_schedules_fall_from_one_to_the_floor(
    schedule: str, floor: float, warmup: int, decay: int | None
) -> None:
    config = replace(
        PAPER,
        steps=60,
        warmup_steps=warmup,
        schedule=schedule,
        final_learning_rate_fraction=floor,
        decay_steps=decay,
    )
    factors = [learning_rate_factor(step, config) for step in range(60)]
    after = factors[warmup:]
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(after))
    assert factors[-1] == pytest.approx(floor)
    if decay is not None:
        assert set(factors[warmup : 60 - decay]) <= {1.0}


def test_a_run_shorter_than_its_warm_up_still_has_a_rate() -> None:
    config = replace(PAPER, steps=2, warmup_steps=10, schedule="cosine")
    assert [learning_rate_factor(step, config) for step in range(2)] == [0.1, 0.2]

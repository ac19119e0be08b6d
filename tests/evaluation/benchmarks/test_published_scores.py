"""Scores that were printed of the released models."""

from __future__ import annotations

import pytest

from flamingo.evaluation.benchmarks.paper_scores import MODELS
from flamingo.evaluation.benchmarks.published_scores import (
    PUBLISHED_MODELS,
    PUBLISHED_SCORES,
    SHOTS,
    family_name,
)
from flamingo.evaluation.benchmarks.registry import BENCHMARKS
from flamingo.evaluation.published.idefics import IDEFICS, IDEFICS_INSTRUCT
from flamingo.evaluation.published.open_flamingo import OPEN_FLAMINGO


def test_they_are_of_benchmarks_and_numbers_of_shots_that_there_are() -> None:
    assert set(PUBLISHED_SCORES) <= set(BENCHMARKS)
    assert not set(PUBLISHED_MODELS) & set(MODELS)
    for scores in PUBLISHED_SCORES.values():
        assert set(scores) <= set(PUBLISHED_MODELS)
        for own in scores.values():
            assert {0, 4} <= set(own) <= set(SHOTS)
            assert all(10 < score < 120 for score in own.values())


@pytest.mark.parametrize("model", PUBLISHED_MODELS)
def test_every_model_is_of_a_family(model: str) -> None:
    families = {one.name for one in (OPEN_FLAMINGO, IDEFICS, IDEFICS_INSTRUCT)}
    assert family_name(model) in families


def test_open_flamingos_scores_are_complete() -> None:
    asked = {name for name, own in PUBLISHED_SCORES.items() if "OpenFlamingo-9B" in own}
    assert asked == set(OPEN_FLAMINGO.benchmarks)

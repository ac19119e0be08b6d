"""Shots hang on the query and the seed alone; RICES puts the most similar one last."""

from __future__ import annotations

import numpy as np
import pytest

from flamingo.evaluation.benchmarks.shots import (
    RandomShots,
    SimilarShots,
    one_per_picture,
    shown_by_both,
)
from flamingo.evaluation.benchmarks.subsets import cut_subsets
from flamingo.foundation.errors import DataError
from tests.evaluation.benchmarks.benchmark_for_tests import COLOR_BENCHMARK, draw_colors


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> RandomShots:
    folder = draw_colors(tmp_path_factory.mktemp("colors"))
    found = cut_subsets(COLOR_BENCHMARK, folder, part="train")
    return RandomShots("colors", found.queries, found.supports)


def test_more_shots_begin_with_the_fewer_ones(shots: RandomShots) -> None:
    few, many = shots.choose(0, 3, 4), shots.choose(0, 3, 16)
    assert many[:4] == few
    assert len(set(many)) == 16


def test_other_queries_and_seeds_have_other_shots(shots: RandomShots) -> None:
    assert shots.choose(0, 3, 8) == shots.choose(0, 3, 8)
    assert shots.choose(0, 3, 8) != shots.choose(1, 3, 8)
    assert shots.choose(0, 3, 8) != shots.choose(0, 4, 8)


def test_shots_do_not_hang_on_what_else_is_asked(shots: RandomShots) -> None:
    fewer = RandomShots("colors", shots.queries[2:], shots.supports)
    assert fewer.choose(0, 1, 8) == shots.choose(0, 3, 8)


def test_the_picture_of_a_query_is_none_of_its_shots(shots: RandomShots) -> None:
    for index, query in enumerate(shots.queries):
        own = sum(one.media == query.media for one in shots.supports)
        chosen = shots.choose(0, index, len(shots.supports) - own)
        shown = {shots.supports[place].media[0].path for place in chosen}
        assert query.media[0].path not in shown


def test_the_most_similar_comes_last() -> None:
    similar = SimilarShots(np.array([[5, 2, 9], [1, 0, 3]]), ())
    assert similar.choose(0, 0, 2) == [2, 5]
    assert similar.choose(7, 1, 3) == [3, 0, 1]


def test_what_both_show_is_found(shots: RandomShots) -> None:
    found = shown_by_both(shots.queries, shots.supports)
    for query, own in zip(shots.queries, found, strict=True):
        expected = [i for i, one in enumerate(shots.supports) if one.media == query.media]
        assert sorted(own) == expected


def test_a_query_that_cannot_have_its_shots_is_named(shots: RandomShots) -> None:
    with pytest.raises(DataError, match=r"The query train-\d+-\d has \d+ supports .* but 80 shots"):
        shots.choose(0, 3, 80)
    with pytest.raises(DataError, match="has 2 supports that show something else, but 3 shots"):
        SimilarShots(np.array([[1, 0]]), shots.queries).choose(0, 0, 3)


def test_a_picture_is_one_look_alike(shots: RandomShots) -> None:
    chosen = one_per_picture(shots.supports)
    seen = [shots.supports[number].media for number in chosen]
    assert len(set(seen)) == len(seen)
    assert set(seen) == {one.media for one in shots.supports}

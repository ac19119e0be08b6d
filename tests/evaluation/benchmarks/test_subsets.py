"""The cuts of a benchmark are disjoint, always the same, and as large as they can be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flamingo.evaluation.benchmarks.item import Item
from flamingo.evaluation.benchmarks.subsets import cut_subsets
from flamingo.foundation.errors import ConfigError, DataError
from tests.evaluation.benchmarks.benchmark_for_tests import (
    COLOR_BENCHMARK,
    HELD_OUT_BENCHMARK,
    draw_colors,
)


def pictures(items: tuple[Item, ...]) -> set[str]:
    return {item.media[0].path.name for item in items}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_colors(tmp_path_factory.mktemp("colors"))


def test_queries_are_the_official_part_in_an_order_that_stays(folder: Path) -> None:
    one, two = (cut_subsets(COLOR_BENCHMARK, folder) for _ in range(2))
    assert one == two
    assert sorted(item.id for item in one.queries) == [f"test-{i}-0" for i in range(6)]
    assert [item.id for item in one.queries] != [f"test-{i}-0" for i in range(6)]


def test_the_four_subsets_of_a_development_benchmark_share_no_picture(folder: Path) -> None:
    test = cut_subsets(COLOR_BENCHMARK, folder)
    validation = cut_subsets(COLOR_BENCHMARK, folder, split="validation")
    sets = [test.queries, test.supports, validation.queries, validation.supports]
    assert [len(one) for one in sets] == [6, 24, 10, 24]
    seen = [pictures(one) for one in sets]
    assert sum(map(len, seen)) == len(set().union(*seen))


def test_supports_show_as_many_pictures_as_they_can(folder: Path) -> None:
    # Of 40 pictures with two items each, a cut of 24 among 58 has 17 pictures for itself.
    supports = cut_subsets(COLOR_BENCHMARK, folder).supports
    assert len(pictures(supports)) == 17
    few = cut_subsets(replace(COLOR_BENCHMARK, num_support=5), folder).supports
    assert len(pictures(few)) == len(few) == 5


def test_a_held_out_benchmark_keeps_nothing_for_validation(folder: Path) -> None:
    supports = cut_subsets(replace(HELD_OUT_BENCHMARK, num_support=80), folder).supports
    assert len(supports) == 80


def test_a_held_out_benchmark_has_no_validation(folder: Path) -> None:
    with pytest.raises(ConfigError, match="it is held out"):
        cut_subsets(HELD_OUT_BENCHMARK, folder, split="validation")


def test_classes_have_equal_shares(folder: Path) -> None:
    benchmark = replace(COLOR_BENCHMARK, per_class=True, num_support=3, num_validation=2)
    validation = cut_subsets(benchmark, folder, split="validation")
    for items, number in ((validation.supports, 3), (validation.queries, 2)):
        answers = [item.answer for item in items]
        assert {answers.count(color) for color in set(answers)} == {number}
        assert len(set(answers)) == 4


def test_what_does_not_exist_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no part 'dev'"):
        cut_subsets(COLOR_BENCHMARK, folder, part="dev")
    with pytest.raises(ConfigError, match="Leave --part out"):
        cut_subsets(COLOR_BENCHMARK, folder, part="test", split="validation")
    with pytest.raises(DataError, match="only 2 items"):
        cut_subsets(COLOR_BENCHMARK, draw_colors(tmp_path, 1), split="validation")


def test_a_benchmark_without_shots_needs_no_training_part(tmp_path: Path) -> None:
    found = cut_subsets(replace(COLOR_BENCHMARK, max_shots=0), draw_colors(tmp_path, 0))
    assert (len(found.queries), found.supports) == (6, ())

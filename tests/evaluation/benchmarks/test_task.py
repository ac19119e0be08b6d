"""Items become episodes as the paper writes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flamingo.evaluation.benchmarks.benchmark import Benchmark
from flamingo.evaluation.benchmarks.opening import BenchmarkSettings, open_benchmark
from flamingo.evaluation.benchmarks.task import BenchmarkTask
from flamingo.evaluation.task import Episode, Task
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.prompting import CAPTION
from tests.evaluation.benchmarks.benchmark_for_tests import (
    CLOSED_BENCHMARK,
    COLOR_BENCHMARK,
    draw_colors,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return draw_colors(tmp_path / "colors-of-files")


def opened(
    folder: Path, benchmark: Benchmark = COLOR_BENCHMARK, max_shots: int = 8, **settings: object
) -> BenchmarkTask:
    of = BenchmarkSettings(folders={"": folder.parent}, **settings)  # type: ignore[arg-type]
    return open_benchmark(benchmark, of, max_shots=max_shots).task


def test_it_is_a_task_and_its_episodes_are_episodes(folder: Path) -> None:
    task = opened(folder)
    assert isinstance(task, Task)
    assert isinstance(task.build(0, 0, 2), Episode)
    assert (task.num_queries, task.max_shots, task.chance_at(4)) == (6, 32, None)


def test_an_episode_has_its_shots_and_its_names(folder: Path) -> None:
    task = opened(folder)
    episode = task.build(0, 1, 4)
    query = task.subsets.queries[1]
    assert episode.query_id == query.id
    assert episode.references == query.references
    assert len(episode.support_ids) == len(set(episode.support_ids)) == 4
    assert all(one.visuals and one.fields["answer"] for one in episode.supports)
    text = task.prompt(episode).text
    assert text.count("Question: what color") == 5
    assert text.endswith("Answer:")


def test_zero_shots_of_an_open_task_are_two_examples_without_pictures(folder: Path) -> None:
    task = opened(folder)
    episode = task.build(0, 1, 0)
    assert [one.visuals for one in episode.supports] == [(), ()]
    assert len(task.prompt(episode).visuals) == 1
    assert episode.support_ids == task.build(0, 1, 4).support_ids[:2]


def test_zero_shots_of_a_closed_task_are_none(folder: Path) -> None:
    task = opened(folder, CLOSED_BENCHMARK)
    episode = task.build(0, 1, 0)
    assert episode.supports == ()
    assert episode.candidates == ("red", "green", "blue", "yellow")
    assert task.chance_at(0) == 1 / 4


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("red", "red"),
        ("red\nQuestion: what", "red"),
        ("red Question: what color is it? Answer: blue", "red"),
        (" a cat. ", "a cat."),
        ("Question: what?", ""),
    ],
)
def test_an_answer_ends_where_the_next_example_begins(
    folder: Path, written: str, read: str
) -> None:
    assert opened(folder).read_answer(written) == read


def test_a_caption_ends_there_too(folder: Path) -> None:
    task = opened(folder)
    captions = replace(task, benchmark=replace(task.benchmark, template=CAPTION))
    assert captions.read_answer("a cat Output: a dog") == "a cat"
    assert captions.read_answer("a question: what is it") == "a question: what is it"


def test_the_identity_follows_what_decides_the_episodes(folder: Path) -> None:
    plain = opened(folder).identity
    assert opened(folder).identity == plain
    assert opened(folder, parts={"colors-of-files": "train"}).identity != plain
    assert opened(folder, split="validation").identity != plain
    (folder / "test-5.png").unlink()
    assert opened(folder).identity != plain


def test_missing_files_are_told_or_left_out(folder: Path) -> None:
    pools = {part: COLOR_BENCHMARK.read(folder, part) for part in ("train", "test")}
    benchmark = replace(COLOR_BENCHMARK, read=lambda folder, part: pools[part])
    (folder / "test-5.png").unlink()
    with pytest.raises(DataError, match=r"1 of the 6 files .*\n  .*test-5\.png\n"):
        opened(folder, benchmark)
    settings = BenchmarkSettings(folders={"": folder.parent}, may_be_missing=True)
    found = open_benchmark(benchmark, settings, max_shots=8)
    assert found.task.num_queries == 5
    assert found.notes == ("1 queries of Colors are left out, as their files are missing.",)


def test_a_part_of_another_size_is_told(folder: Path) -> None:
    benchmark = replace(COLOR_BENCHMARK, num_items={"test": 5000})
    settings = BenchmarkSettings(folders={"": folder.parent})
    (note,) = open_benchmark(benchmark, settings, max_shots=8).notes
    assert "has 6 items here, and 5000 in the complete official files" in note


def test_what_is_not_given_is_asked_for(folder: Path) -> None:
    with pytest.raises(ConfigError, match="--data colors-of-files=FOLDER"):
        open_benchmark(COLOR_BENCHMARK, BenchmarkSettings(), max_shots=0)
    with pytest.raises(DataError, match="There is no folder"):
        open_benchmark(COLOR_BENCHMARK, BenchmarkSettings(folders={"": folder}), max_shots=0)
    with pytest.raises(DataError, match="has 24 supports, but 30 shots"):
        opened(folder, max_shots=30)

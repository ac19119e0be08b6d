"""Items become episodes as the paper writes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flamingo.data import load_visual
from flamingo.evaluation.benchmarks.benchmark import Benchmark
from flamingo.evaluation.benchmarks.item import Media
from flamingo.evaluation.benchmarks.media_loader import MediaLoader
from flamingo.evaluation.benchmarks.opening import BenchmarkSettings, open_benchmark
from flamingo.evaluation.benchmarks.task import BenchmarkTask
from flamingo.evaluation.prediction import LEFT_OUT
from flamingo.evaluation.runner import ask
from flamingo.evaluation.task import DamagedQuery, Episode, Task
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.prompting import CAPTION
from tests.evaluation.benchmarks.benchmark_for_tests import (
    CLOSED_BENCHMARK,
    COLOR_BENCHMARK,
    draw_colors,
)
from tests.tiny_predictor import tiny_predictor


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
    longer = replace(COLOR_BENCHMARK, max_new_tokens=9)
    assert opened(folder, longer).identity != opened(folder).identity


def test_missing_files_are_told_or_left_out(folder: Path) -> None:
    pools = {part: COLOR_BENCHMARK.read(folder, part) for part in ("train", "test")}
    benchmark = replace(COLOR_BENCHMARK, read=lambda folder, part: pools[part])
    (folder / "test-5.png").unlink()
    with pytest.raises(DataError, match=r"1 of the 6 files .*\n  .*test-5\.png\n"):
        opened(folder, benchmark)
    settings = BenchmarkSettings(folders={"": folder.parent}, may_be_missing=True)
    found = open_benchmark(benchmark, settings, max_shots=8)
    # All keep their places, and the one without a file is left out when it is asked.
    assert found.task.num_queries == 6
    assert found.notes == ("1 queries of Colors are left out, as their files are missing.",)
    lost = [i for i, one in enumerate(found.task.subsets.queries) if one.id == "test-5-0"]
    with pytest.raises(DamagedQuery, match="The query test-5-0 of Colors cannot be asked") as told:
        found.task.build(0, lost[0], 2)
    assert told.value.is_own
    predictions = ask(
        tiny_predictor(),
        found.task,
        range(6),
        num_shots=2,
        seed=0,
        control="none",
        max_new_tokens=2,
        memory=tiny_predictor().visual_memory(),
    )
    assert [one.index for one in predictions if LEFT_OUT in one.details] == lost
    assert len(predictions) == 6


def test_a_damaged_support_ends_the_run_and_is_named(folder: Path) -> None:
    task = replace(opened(folder), skips_damaged=True)
    chosen = task.build(0, 0, 2).support_ids
    item = next(one for one in task.subsets.supports if one.id == chosen[0])
    item.media[0].path.write_bytes(b"no picture")
    with pytest.raises(DamagedQuery, match=f"the file of its support {chosen[0]}") as told:
        replace(task, load=MediaLoader()).build(0, 0, 2)
    assert not told.value.is_own


def test_visuals_are_decoded_when_their_pixels_are_wanted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = MediaLoader(budget=1)
    first, second = (Media(folder / f"train-{number}.png") for number in range(2))
    plain = load_visual(first.path)
    seen = load(first)
    load(second)
    assert (seen.fingerprint(), seen.num_frames) == (plain.fingerprint(), 1)
    assert (seen.height, seen.width, seen.is_video) == (16, 20, False)
    assert load(second).width == 20
    monkeypatch.setattr(load, "read", None)
    assert load(first).fingerprint() == plain.fingerprint()
    with pytest.raises(TypeError):
        _ = load(first).frames


def test_a_part_of_another_size_is_told(folder: Path) -> None:
    benchmark = replace(COLOR_BENCHMARK, num_items={"test": 5000})
    settings = BenchmarkSettings(folders={"": folder.parent})
    (note,) = open_benchmark(benchmark, settings, max_shots=8).notes
    assert "has 6 items here, and 5000 in the complete official files" in note


def test_the_support_set_may_have_another_size(folder: Path) -> None:
    assert len(opened(folder, num_support=9).subsets.supports) == 9
    by_class = replace(CLOSED_BENCHMARK, per_class=True)
    answers = [one.answer for one in opened(folder, by_class, num_support=3).subsets.supports]
    assert {answers.count(color) for color in answers} == {3}


def test_what_is_not_given_is_asked_for(folder: Path) -> None:
    with pytest.raises(ConfigError, match="--data colors-of-files=FOLDER"):
        open_benchmark(COLOR_BENCHMARK, BenchmarkSettings(), max_shots=0)
    with pytest.raises(DataError, match="There is no folder"):
        open_benchmark(COLOR_BENCHMARK, BenchmarkSettings(folders={"": folder}), max_shots=0)
    with pytest.raises(DataError, match=r"has \d+ supports, but 30 shots"):
        opened(folder, max_shots=30)

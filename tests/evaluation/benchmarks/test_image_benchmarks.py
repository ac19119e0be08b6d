"""Every image benchmark reads a folder in its official layout, and says what is wrong with one."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.evaluation.benchmarks.benchmark import Benchmark
from flamingo.evaluation.benchmarks.image_benchmarks import IMAGE_BENCHMARKS
from flamingo.evaluation.benchmarks.submissions import FORMATS
from flamingo.foundation.errors import ConfigError, DataError
from tests.evaluation.benchmarks.image_folders import IMAGE_FOLDERS

NAMES = [one.name for one in IMAGE_BENCHMARKS]
NAMED = {one.name: one for one in IMAGE_BENCHMARKS}


def filled(factory: pytest.TempPathFactory, num: int) -> dict[str, Path]:
    made = {name: factory.mktemp(name) for name in IMAGE_FOLDERS}
    for name, folder in made.items():
        IMAGE_FOLDERS[name](folder, num)
    return made


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return filled(tmp_path_factory, num=6)


@pytest.fixture(scope="module")
def small_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return filled(tmp_path_factory, num=2)


def parts_of(benchmark: Benchmark) -> tuple[str, ...]:
    return tuple(dict.fromkeys((benchmark.support_part, *benchmark.query_parts)))


def read_all(benchmark: Benchmark, folder: Path) -> None:
    for part in parts_of(benchmark):
        benchmark.read(folder, part)


def test_there_are_folders_for_all() -> None:
    assert list(IMAGE_FOLDERS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_specification_fits_together(name: str) -> None:
    benchmark = NAMED[name]
    assert benchmark.paper_part in benchmark.query_parts
    assert {benchmark.support_part, *benchmark.query_parts} == benchmark.num_items.keys()
    assert benchmark.submission is None or benchmark.submission in FORMATS
    assert set(benchmark.paper) <= {"3B", "9B", "80B"}
    for scores in benchmark.paper.values():
        assert max(scores) == benchmark.max_shots


def test_the_papers_development_benchmarks() -> None:
    open_to_choice = {one.name for one in IMAGE_BENCHMARKS if not one.is_held_out}
    assert open_to_choice == {"coco", "vqav2", "okvqa", "imagenet"}


@pytest.mark.parametrize("name", NAMES)
def test_items_are_whole(name: str, folders: dict[str, Path]) -> None:
    benchmark = NAMED[name]
    for part in parts_of(benchmark):
        pool = benchmark.read(folders[name], part)
        assert len({item.id for item in pool.items}) == len(pool.items) >= 3
        for item in pool.items:
            assert len(item.media) == 1
            assert item.media[0].path.is_file()
            assert set(benchmark.template.fields) <= item.fields.keys()
            assert bool(item.answer) == bool(item.references)
            assert item.answer == " ".join(item.answer.split())
            assert json.loads(json.dumps(item.details)) == item.details


@pytest.mark.parametrize("name", NAMES)
def test_supports_have_answers_and_so_has_the_default_part(
    name: str, folders: dict[str, Path]
) -> None:
    benchmark = NAMED[name]
    for part in (benchmark.support_part, benchmark.query_parts[0]):
        assert all(item.answer for item in benchmark.read(folders[name], part).items)


@pytest.mark.parametrize("name", NAMES)
def test_candidates_are_there_where_no_answer_is_written(
    name: str, folders: dict[str, Path]
) -> None:
    benchmark = NAMED[name]
    for part in benchmark.query_parts:
        pool = benchmark.read(folders[name], part)
        for item in pool.items:
            candidates = item.candidates or pool.candidates
            assert bool(candidates) == (benchmark.max_new_tokens == 0)
            assert not candidates or set(item.references) <= set(candidates)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_part_lists_the_known_ones(name: str, folders: dict[str, Path]) -> None:
    with pytest.raises(ConfigError, match=r"no part 'tset'(.|\n)*Known names: .*val|test_seen"):
        NAMED[name].read(folders[name], "tset")


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no folder .*nowhere"):
        NAMED[name].read(tmp_path / "nowhere", NAMED[name].query_parts[0])


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_is_named(name: str, folders: dict[str, Path], tmp_path: Path) -> None:
    # Class names are a part of ImageNet that may be missing, and its training part too.
    for path in sorted(folders[name].iterdir()):
        if name == "imagenet" and path.name == "train":
            continue
        hidden = path.rename(tmp_path / path.name)
        with pytest.raises(DataError, match=path.name.replace(".", r"\.")):
            read_all(NAMED[name], folders[name])
        hidden.rename(path)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "imagenet"])
def test_a_file_that_was_cut_is_named(name: str, folders: dict[str, Path]) -> None:
    for path in sorted(folders[name].glob("*.json*")):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2 + 3])
        with pytest.raises(DataError, match=f"{path.name} is damaged"):
            read_all(NAMED[name], folders[name])
        path.write_bytes(whole)


@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_not_looked_for(name: str, folders: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(folders[name], folder)
    benchmark = NAMED[name]
    picture = benchmark.read(folder, benchmark.query_parts[0]).items[0].media[0].path
    num = len(benchmark.read(folder, benchmark.query_parts[0]).items)
    picture.unlink()
    left = len(benchmark.read(folder, benchmark.query_parts[0]).items)
    # ImageNet has no other list of its pictures than its folders.
    assert left == (num - 1 if name == "imagenet" else num)


OTHER = [None, True, -1, 10**9, 0.5, "x", "", [], {}, ["x"], {"x": 1}]


def changed(content: Any, data: st.DataObject) -> Any:
    """A copy in which one value, anywhere, was removed or became something else."""
    content = copy.deepcopy(content)
    at = content
    while True:
        places = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not places:
            return content
        place = data.draw(st.sampled_from(places))
        inner = at[place]
        if isinstance(inner, dict | list) and inner and data.draw(st.integers(0, 3)):
            at = inner
            continue
        if data.draw(st.booleans()):
            del at[place]
        else:
            at[place] = data.draw(st.sampled_from(OTHER))
        return content


@pytest.mark.parametrize("name", [name for name in NAMES if name != "imagenet"])
@given(data=st.data())
@settings(max_examples=15)
def test_a_changed_file_is_read_or_told_of(
    name: str, small_folders: dict[str, Path], data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(sorted(small_folders[name].glob("*.json*"))))
    whole = path.read_text()
    if path.suffix == ".jsonl":
        lines = changed([json.loads(line) for line in whole.splitlines()], data)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    else:
        path.write_text(json.dumps(changed(json.loads(whole), data)))
    told = ""
    try:
        read_all(NAMED[name], small_folders[name])
    except DataError as error:
        told = str(error)
    finally:
        path.write_text(whole)
    assert not told or (str(small_folders[name]) in told and "\n" in told)

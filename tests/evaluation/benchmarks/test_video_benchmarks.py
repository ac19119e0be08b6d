"""Every video benchmark reads a folder in its official layout, and says what is wrong with one."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo import load_visual
from flamingo.evaluation.benchmarks.benchmark import Benchmark
from flamingo.evaluation.benchmarks.paper_scores import MODELS, SHOTS, paper_scores
from flamingo.evaluation.benchmarks.video_benchmarks import VIDEO_BENCHMARKS
from flamingo.foundation.errors import ConfigError, DataError
from tests.evaluation.benchmarks.video_folders import VIDEO_FOLDERS

NAMES = [one.name for one in VIDEO_BENCHMARKS]
NAMED = {one.name: one for one in VIDEO_BENCHMARKS}
PAPER = Path(__file__).resolve().parents[4] / "shared/paper.md"
OPTIONAL = {"youtube_mapping.txt", "add_reference_answer_test.json", "YouTubeClips", "TestVideo"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for name, make in VIDEO_FOLDERS.items():
        made[name] = tmp_path_factory.mktemp(name)
        make(made[name])
    return made


def parts_of(benchmark: Benchmark) -> tuple[str, ...]:
    return tuple(dict.fromkeys((benchmark.support_part, *benchmark.query_parts)))


def read_all(benchmark: Benchmark, folder: Path) -> None:
    for part in parts_of(benchmark):
        benchmark.read(folder, part)


def error_of(benchmark: Benchmark, folder: Path) -> str:
    try:
        read_all(benchmark, folder)
    except DataError as error:
        return str(error)
    return ""


def test_there_are_folders_for_all() -> None:
    assert list(VIDEO_FOLDERS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_specification_fits_together(name: str) -> None:
    benchmark = NAMED[name]
    assert benchmark.is_video
    assert benchmark.paper_part in benchmark.query_parts
    assert benchmark.num_items.keys() <= {benchmark.support_part, *benchmark.query_parts}
    for scores in benchmark.paper.values():
        assert max(scores) == benchmark.max_shots


def test_the_papers_development_benchmarks() -> None:
    open_to_choice = {one.name for one in VIDEO_BENCHMARKS if not one.is_held_out}
    assert open_to_choice == {"msvdqa", "vatex", "kinetics700"}


@pytest.mark.skipif(not PAPER.exists(), reason="the paper's facts are not in this checkout")
@pytest.mark.parametrize("name", [name for name in NAMES if name != "kinetics700"])
def test_scores_are_those_of_the_papers_table(name: str) -> None:
    lines = [line.strip(" |").split("|") for line in PAPER.read_text().splitlines()]
    table = [[cell.strip() for cell in line] for line in lines if len(line) == 18]
    title = {"youcook2": "YC2"}.get(name, NAMED[name].title)
    column = table[0].index(title)
    scores = {model: {} for model in MODELS}
    for row in table:
        if row[0] in MODELS and row[column] != "–":
            scores[row[0]][int(row[1])] = float(row[column])
    assert scores == NAMED[name].paper


def test_rows_of_scores_are_by_model_and_number_of_shots() -> None:
    assert paper_scores((1.0, 2.0), (3.0, 4.0), (5.0, 6.0))["80B"] == {0: 5.0, 4: 6.0}
    assert list(paper_scores(*[(0.0,) * 5] * 3)["3B"]) == list(SHOTS)


@pytest.mark.parametrize("name", NAMES)
def test_items_are_whole(name: str, folders: dict[str, Path]) -> None:
    benchmark = NAMED[name]
    for part in parts_of(benchmark):
        pool = benchmark.read(folders[name], part)
        assert len({item.id for item in pool.items}) == len(pool.items) == 6
        for item in pool.items:
            assert item.media[0].path.is_file()
            assert set(benchmark.template.fields) <= item.fields.keys()
            assert bool(item.answer) == bool(item.references)
            candidates = item.candidates or pool.candidates
            assert bool(candidates) == (benchmark.max_new_tokens == 0)
            assert not candidates or set(item.references) <= set(candidates)
            assert json.loads(json.dumps(item.details)) == item.details


@pytest.mark.parametrize("name", [name for name in NAMES if name != "rareact"])
def test_supports_have_answers_and_so_has_the_default_part(
    name: str, folders: dict[str, Path]
) -> None:
    benchmark = NAMED[name]
    for part in (benchmark.support_part, benchmark.query_parts[0]):
        assert all(item.answer for item in benchmark.read(folders[name], part).items)


@pytest.mark.parametrize("name", NAMES)
def test_what_an_item_shows_can_be_loaded(name: str, folders: dict[str, Path]) -> None:
    media = NAMED[name].read(folders[name], NAMED[name].query_parts[0]).items[-1].media[0]
    visual = load_visual(media.path, fps=4.0, start=media.start, end=media.end)
    assert visual.num_frames == round(4 * ((media.end or 4.0) - (media.start or 0.0)) - 0.01)
    assert (visual.width, visual.height) == (48, 48)


@pytest.mark.parametrize("name", NAMES)
def test_videos_that_are_gone_keep_their_items(name: str, tmp_path: Path) -> None:
    VIDEO_FOLDERS[name](tmp_path, num=4)
    benchmark = NAMED[name]
    part = benchmark.query_parts[0]
    before = benchmark.read(tmp_path, part).items
    before[0].media[0].path.unlink()
    after = benchmark.read(tmp_path, part).items
    assert [item.id for item in after] == [item.id for item in before]
    assert after[-1] == before[-1]
    assert not after[0].media[0].path.exists()


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_part_lists_the_known_ones(name: str, folders: dict[str, Path]) -> None:
    with pytest.raises(ConfigError, match=r"no part 'tset'(.|\n)*Known names: "):
        NAMED[name].read(folders[name], "tset")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_is_named(name: str, folders: dict[str, Path], tmp_path: Path) -> None:
    for path in sorted(folders[name].iterdir()):
        if path.name in OPTIONAL:
            continue
        hidden = path.rename(tmp_path / path.name)
        # What else the folder holds may make up for clips, but for no annotations.
        others = [folders[name] / other for other in OPTIONAL if (folders[name] / other).is_dir()]
        away = [other.rename(tmp_path / other.name) for other in others]
        with pytest.raises(DataError, match=path.name.replace(".", r"\.")):
            read_all(NAMED[name], folders[name])
        for other in [hidden, *away]:
            other.rename(folders[name] / other.name)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_was_cut_is_named(name: str, folders: dict[str, Path]) -> None:
    for path in annotations_in(folders[name]):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2 + 3])
        error = error_of(NAMED[name], folders[name])
        path.write_bytes(whole)
        # A list of lines may by chance end where a line does.
        assert path.name in error or (not error and path.suffix in (".csv", ".txt"))


def annotations_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.*") if path.suffix in (".json", ".csv", ".txt"))


OTHER = [None, True, -1, 10**9, 0.5, "x", "", [], {}, ["x"], {"x": 1}, float("nan")]


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
        elif data.draw(st.booleans()):
            del at[place]
            return content
        else:
            at[place] = data.draw(st.sampled_from(OTHER))
            return content


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_a_changed_file_is_read_or_told_of(
    name: str, folders: dict[str, Path], data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(annotations_in(folders[name])))
    whole = path.read_text()
    if path.suffix == ".json":
        path.write_text(json.dumps(changed(json.loads(whole), data)))
    else:
        table = [line.split(",") for line in whole.splitlines()]
        path.write_text("\n".join(",".join(map(str, row)) for row in told(changed(table, data))))
    error = error_of(NAMED[name], folders[name])
    path.write_text(whole)
    assert not error or (str(folders[name]) in error and "\n" in error)


def told(table: list[Any]) -> list[list[Any]]:
    return [row if isinstance(row, list) else [row] for row in table]

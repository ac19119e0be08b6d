"""A sweep answers each query once, the same way whatever interrupts it and however it is shared."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from flamingo.evaluation.journal import Journal
from flamingo.evaluation.prediction import Prediction
from flamingo.evaluation.prediction_files import PREDICTIONS
from flamingo.evaluation.sweep import Block, Sweep, answered, missing_blocks, widened
from flamingo.evaluation.workers import WorkerError
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.inference.predictor import Predictor
from flamingo.sequence import Interleaved
from tests.evaluation.cells_for_tests import answers
from tests.evaluation.toy_task import TASKS, bench

SWEEP = Sweep(
    tasks=("colors", "clips", "words"),
    shots=(0, 3),
    controls=("none", "shuffled-labels"),
    num_queries=18,
)
SETTINGS = {"seed": 0, "episodes": {"colors": "a"}}


def run(folder: Path, sweep: Sweep = SWEEP, *, num_pieces: int | None = None) -> Journal:
    """Answers what is missing, or the first pieces of it."""
    journal = Journal(folder, SETTINGS)
    blocks = missing_blocks(sweep, journal.outcomes)
    for number, piece in enumerate(answered(sweep, blocks, bench, 1), start=1):
        journal.add(piece)
        if number == num_pieces:
            break
    return journal


def add_all(journal: Journal, pieces: Iterable[list[Prediction]]) -> None:
    for piece in pieces:
        journal.add(piece)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    run(folder)
    return folder


def test_all_queries_are_answered_once(whole: Path) -> None:
    lines = [json.loads(line) for line in (whole / PREDICTIONS).read_text().splitlines()]
    places = [(one["task"], one["shots"], one["control"], one["index"]) for one in lines]
    assert len(places) == len(set(places)) == len(SWEEP) == 3 * 3 * 18
    assert not [one for one in lines if one["control"] != "none" and one["shots"] == 0]


def test_controls_may_be_asked_at_fewer_numbers_of_shots() -> None:
    sweep = replace(SWEEP, shots=(0, 3, 6), control_shots=(6,))
    assert sweep.cells("colors") == [(0, "none"), (3, "none"), (6, "none"), (6, "shuffled-labels")]


def test_a_prediction_says_what_was_asked(whole: Path) -> None:
    lines = [json.loads(line) for line in (whole / PREDICTIONS).read_text().splitlines()]
    one = next(one for one in lines if one["task"] == "colors" and one["shots"] == 3)
    first = f"<BOS><image>Output: {one['labels'][0]}<EOC><image>"
    assert one["prompt"].startswith(first)
    assert one["prompt"].endswith("<image>Output:")
    scores = dict(one["candidates"])
    assert one["prediction"] == max(scores, key=scores.__getitem__)
    assert one["score"] == max(scores.values())
    assert set(one["references"]) <= {"red", "green", "blue"}


@pytest.mark.parametrize("num_pieces", [1, 5])
def test_a_stopped_run_goes_on_and_asks_nothing_twice(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_pieces: int
) -> None:
    asked: list[Interleaved] = []
    for name in ("choose_all", "complete"):
        plain = getattr(Predictor, name)

        def counted(self, prompts, *args, plain=plain, **kwargs):  # type: ignore[no-untyped-def]
            asked.extend(prompts)
            return plain(self, prompts, *args, **kwargs)

        monkeypatch.setattr(Predictor, name, counted)
    run(tmp_path, num_pieces=num_pieces)
    # What a process that was killed in the middle of writing leaves behind.
    with (tmp_path / PREDICTIONS).open("a") as file:
        file.write('{"task": "colors", "sho')
    assert 0 < len(asked) < len(SWEEP)
    run(tmp_path)
    assert len(asked) == len(SWEEP)
    assert (tmp_path / PREDICTIONS).read_bytes() == (whole / PREDICTIONS).read_bytes()
    run(tmp_path)
    assert len(asked) == len(SWEEP)


def test_a_piece_that_was_half_written_is_asked_as_a_whole(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    plain = Predictor.choose_all

    def counted(self, prompts, *args, **kwargs):  # type: ignore[no-untyped-def]
        sizes.append(len(prompts))
        return plain(self, prompts, *args, **kwargs)

    monkeypatch.setattr(Predictor, "choose_all", counted)
    run(tmp_path, num_pieces=2)
    path = tmp_path / PREDICTIONS
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-7]))
    run(tmp_path, num_pieces=1)
    assert sizes == [16, 16, 16]
    run(tmp_path)
    assert path.read_bytes() == (whole / PREDICTIONS).read_bytes()


def test_two_processes_say_what_one_says_and_tell_what_goes_wrong(
    whole: Path, tmp_path: Path
) -> None:
    journal = Journal(tmp_path, SETTINGS)
    wrong = Block("no such task", range(1), {(0, "none"): [0]})
    pieces = answered(SWEEP, [*missing_blocks(SWEEP, set()), wrong], bench, 2)
    with pytest.raises(WorkerError, match="KeyError: 'no such task'"):
        add_all(journal, pieces)
    assert (tmp_path / PREDICTIONS).read_bytes() == (whole / PREDICTIONS).read_bytes()


def test_a_sweep_says_what_a_single_cell_says(whole: Path) -> None:
    predictor, tasks = bench()
    found = answers(predictor, tasks["clips"], num_shots=3, num_queries=18, batch_size=5)
    lines = [json.loads(line) for line in (whole / PREDICTIONS).read_text().splitlines()]
    same = [
        one for one in lines if (one["task"], one["shots"], one["control"]) == ("clips", 3, "none")
    ]
    assert [one["prediction"] for one in same] == [one.prediction for one in found]
    assert [one["score"] for one in same] == pytest.approx([one.score for one in found], abs=1e-5)


def test_more_shots_are_added_to_what_is_there(tmp_path: Path) -> None:
    small = Sweep(tasks=("colors",), shots=(0,), num_queries=3)
    run(tmp_path, small)
    larger = Sweep(tasks=("colors",), shots=(0, 1), num_queries=3)
    missing = missing_blocks(larger, Journal(tmp_path, SETTINGS).outcomes)
    assert [block.missing for block in missing] == [{(1, "none"): [0, 1, 2]}]


def test_a_sweep_is_widened_by_what_others_answered() -> None:
    known = ("words", "clips", "colors")
    sweep = Sweep(tasks=("colors",), shots=(4, 0), num_queries=3, seed=5)
    done = [("words", 2, "blank", 0), ("gone", 8, "none", 0), ("words", 2, "gone", 0)]
    wide = widened(sweep, done, known)
    assert (wide.tasks, wide.shots) == (("words", "colors"), (0, 2, 4))
    assert (wide.controls, wide.control_shots) == (("none", "blank"), (2,))
    assert (wide.num_queries, wide.seed) == (3, 5)
    assert widened(replace(sweep, shots=(0, 4)), [], known) == replace(sweep, shots=(0, 4))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": 1, "episodes": {"colors": "a"}}, "seed was 0, is now 1"),
        ({"seed": 0, "episodes": {"colors": "b"}}, "episodes of colors was 'a', is now 'b'"),
    ],
)
def test_other_settings_are_refused(
    tmp_path: Path, settings: dict[str, object], message: str
) -> None:
    Journal(tmp_path, SETTINGS)
    with pytest.raises(ConfigError, match=message):
        Journal(tmp_path, settings)


def test_further_tasks_are_noted(tmp_path: Path) -> None:
    Journal(tmp_path, SETTINGS)
    Journal(tmp_path, {"seed": 0, "episodes": {"words": "c"}})
    noted = json.loads((tmp_path / "settings.json").read_text())
    assert noted == {"seed": 0, "episodes": {"colors": "a", "words": "c"}}


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / PREDICTIONS).write_text("{}\n")
    with pytest.raises(ConfigError, match="nobody can tell what was asked"):
        Journal(tmp_path, SETTINGS)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    Journal(tmp_path, SETTINGS)
    (tmp_path / PREDICTIONS).write_text("nonsense\n")
    with pytest.raises(DataError, match=r"Line 1 of .* is not a prediction"):
        Journal(tmp_path, SETTINGS)


def test_toy_tasks_have_several_numbers_of_candidates() -> None:
    assert {len(TASKS[0].build(0, index, 0).candidates) for index in range(4)} == {2, 3}

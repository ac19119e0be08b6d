from __future__ import annotations

import json
from pathlib import Path

import pytest

from flamingo.evaluation.answered import Answered
from flamingo.evaluation.cell import Cell
from flamingo.evaluation.folder import read_evaluation, shots_to_show, wrong_ones_first
from flamingo.evaluation.journal import Journal
from flamingo.evaluation.prediction import Prediction
from flamingo.evaluation.report import write_report
from flamingo.foundation.errors import DataError
from tests.evaluation.cells_for_tests import accuracy_cell

SETTINGS = {"model_sha256": "0" * 64, "seed": 7, "episodes": {"colors": "f"}}


def cell(shots: int, control: str = "none", task: str = "colors") -> Cell:
    return accuracy_cell(
        task,
        held_out=False,
        shots=shots,
        right=2,
        n=4,
        chance=0.25,
        control=control,
    )


def prediction(index: int, is_right: bool = True, **changed: object) -> Prediction:
    fields = {"task": "colors", "shots": 2, "control": "none", **changed}
    return Prediction(
        **fields,  # type: ignore[arg-type]
        index=index,
        prediction="red",
        references=("red",) if is_right else ("blue",),
        score=-1.0,
        candidates=(("red", -1.0), ("blue", -2.0)),
        labels=("red", "blue"),
        prompt="<image>Output:",
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    journal = Journal(tmp_path, SETTINGS)
    journal.add([prediction(0), prediction(1, False), prediction(0, control="blank")])
    journal.add([prediction(0, shots=4), prediction(0, task="words")])
    write_report(tmp_path, [cell(2), cell(4), cell(2, "blank")], {"model": "miniature"})
    return tmp_path


def test_what_was_written_is_read(folder: Path) -> None:
    found = read_evaluation(folder)
    assert found.cells == (cell(2), cell(4), cell(2, "blank"))
    assert (found.model, found.seed, found.tasks) == ("miniature", 7, ("colors",))
    assert found.episodes == SETTINGS["episodes"]
    wanted = [prediction(0), prediction(1, False)]
    assert found.predictions({one.place for one in wanted}) == {one.place: one for one in wanted}


def test_all_answers_come_by_task_without_their_prompts(folder: Path) -> None:
    found = read_evaluation(folder).answers_by_task()
    assert {task: [one.place for one in own] for task, own in found.items()} == {
        "colors": [
            ("colors", 2, "none", 0),
            ("colors", 2, "none", 1),
            ("colors", 2, "blank", 0),
            ("colors", 4, "none", 0),
        ],
        "words": [("words", 2, "none", 0)],
    }
    first, second, *_ = found["colors"]
    assert (first.query, first.outcome) == ("0", prediction(0).outcome)
    assert (first.is_right, second.is_right) == (True, False)


def test_queries_that_could_not_be_asked_are_no_answers(folder: Path) -> None:
    lost = Prediction.of_damaged(("colors", 4, "none", 1), "its file is damaged")
    Journal(folder, SETTINGS).add([lost])
    places = [one.place for one in read_evaluation(folder).answers_by_task()["colors"]]
    assert len(places) == 4
    assert lost.place not in places


def test_the_line_that_a_killed_run_left_is_left_out(folder: Path) -> None:
    path = folder / "predictions.jsonl"
    whole = path.read_text()
    path.write_text(whole + whole[:30])
    assert len(read_evaluation(folder).answers_by_task()["colors"]) == 4


@pytest.mark.parametrize("line", ["no prediction", "3", "{}", '{"task": "colors", "shots": 2}'])
def test_a_damaged_line_is_named(folder: Path, line: str) -> None:
    path = folder / "predictions.jsonl"
    path.write_text(f"{line}\n" + path.read_text())
    found = read_evaluation(folder)
    for look in (found.answers_by_task, lambda: found.predictions(())):
        with pytest.raises(DataError, match=r"Line 1 of .*predictions.jsonl is not a prediction"):
            look()


def test_without_predictions_there_is_no_evaluation(folder: Path) -> None:
    (folder / "predictions.jsonl").unlink()
    with pytest.raises(DataError, match=r"has no predictions.jsonl"):
        read_evaluation(folder).answers_by_task()


def test_no_folder_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no folder .*nowhere.\nMake one with `flamingo evaluate"):
        read_evaluation(tmp_path / "nowhere")


def test_another_folder_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no results.json, so it is not the folder"):
        read_evaluation(tmp_path)


def test_no_complete_result_yet(folder: Path) -> None:
    (folder / "results.json").write_text("[]")
    with pytest.raises(DataError, match="no complete result yet"):
        read_evaluation(folder)
    assert read_evaluation(folder, may_lack_scores=True).cells == ()
    (folder / "predictions.jsonl").unlink()
    with pytest.raises(DataError, match="no complete result yet"):
        read_evaluation(folder, may_lack_scores=True)


@pytest.mark.parametrize("name", ["results.json", "summary.json", "settings.json"])
def test_a_damaged_file_is_named(folder: Path, name: str) -> None:
    (folder / name).write_text("{")
    with pytest.raises(DataError, match=rf"{name} is damaged"):
        read_evaluation(folder)


def test_files_of_another_version_are_told(folder: Path) -> None:
    (folder / "settings.json").write_text(json.dumps({"seed": 0}))
    with pytest.raises(DataError, match="'model_sha256'\nEvaluate again into another folder"):
        read_evaluation(folder)


def test_examples_are_of_few_shots_but_not_of_fewer_than_there_are() -> None:
    cells = [cell(0), cell(4), cell(32), cell(3, "blank"), cell(8, task="words")]
    assert shots_to_show(cells) == {"colors": 4, "words": 8}


def answered(index: int, is_right: bool) -> Answered:
    one = prediction(index, is_right)
    return Answered(one.place, str(index), one.outcome)


def test_wrong_answers_come_first_and_do_not_hide_the_right_ones() -> None:
    answers = [answered(index, index % 2 == 0) for index in range(8)]
    assert [one.index for one in wrong_ones_first(answers)] == [1, 3, 0]
    assert [one.index for one in wrong_ones_first(answers[::2])] == [0, 2, 4]
    assert [one.index for one in wrong_ones_first(answers[1::2])] == [1, 3, 5]
    assert wrong_ones_first([]) == []

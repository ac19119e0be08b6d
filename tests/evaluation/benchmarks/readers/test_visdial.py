"""VisDial: the next answer in a dialog about a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flamingo.evaluation.benchmarks.image_benchmarks import VISDIAL
from flamingo.evaluation.benchmarks.item import Media
from flamingo.evaluation.benchmarks.readers.visdial import DENSE, read_visdial
from flamingo.foundation.errors import DataError
from tests.evaluation.benchmarks.image_folders import make_visdial


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_visdial(tmp_path)
    return tmp_path


def change(path: Path, *places: int | str, to: Any) -> None:
    content = json.loads(path.read_text())
    at = content
    for place in places[:-1]:
        at = at[place]
    at[places[-1]] = to
    path.write_text(json.dumps(content))


def test_a_query(folder: Path) -> None:
    item = read_visdial(folder, "val").items[2]
    assert item.id == "602-3"
    assert item.media == (
        Media(folder / "VisualDialog_val2018/VisualDialog_val2018_000000000602.jpg"),
    )
    assert item.fields == {
        "history": "a blue square Question: what color is it Answer: blue "
        "Question: is it a square Answer: yellow",
        "question": "is it large",
    }
    assert item.answer == "gray"
    assert item.references == ("gray",)
    assert len(item.candidates) == 100
    assert item.candidates[0] == "gray"
    assert item.details["round_id"] == 3
    assert [number for number, one in enumerate(item.details["relevance"]) if one] == [2, 50]


def test_the_papers_prompt(folder: Path) -> None:
    item = read_visdial(folder, "val").items[1]
    assert VISDIAL.template.support(**item.fields, answer=item.answer) == (
        "a green square Question: what color is it Answer: green "
        "Question: is it a square Answer: blue"
    )


def test_the_first_round_has_the_caption_alone(folder: Path) -> None:
    assert read_visdial(folder, "val").items[0].fields["history"] == "a red square"


def test_queries_are_the_rounds_with_relevance_in_their_order(folder: Path) -> None:
    records = json.loads((folder / DENSE).read_text())
    (folder / DENSE).write_text(json.dumps(records[:1:-1]))
    assert [item.id for item in read_visdial(folder, "val").items] == [
        "605-6",
        "604-5",
        "603-4",
        "602-3",
    ]


def test_supports_are_of_all_lengths_and_have_no_candidates(folder: Path) -> None:
    items = read_visdial(folder, "train").items
    assert [item.id for item in items] == [f"{500 + number}-{1 + number}" for number in range(6)]
    assert {item.candidates for item in items} == {()}
    assert [item.media[0].path.parent.name for item in items[:2]] == ["train2014", "val2014"]
    assert items[3].fields["history"].count("Question:") == 3


def test_more_dialogs_than_rounds(tmp_path: Path) -> None:
    make_visdial(tmp_path, num=12)
    rounds = [item.details["round_id"] for item in read_visdial(tmp_path, "train").items]
    assert rounds == [*range(1, 11), 1, 2]


def test_hidden_answers(folder: Path) -> None:
    item = read_visdial(folder, "test").items[3]
    assert (item.answer, item.references) == ("", ())
    assert len(item.candidates) == 100
    assert item.details == {"image_id": 703, "round_id": 4}
    assert item.fields["history"].count("Question:") == 3


def test_relevance_of_other_candidates(folder: Path) -> None:
    change(folder / DENSE, 4, "gt_relevance", to=[1.0, 0.0])
    told = r"record 5 of .*dense_annotations\.json has the relevance of 2 answers, but .* has 100"
    with pytest.raises(DataError, match=told):
        read_visdial(folder, "val")


def test_relevance_of_another_picture(folder: Path) -> None:
    change(folder / DENSE, 4, "image_id", to=99)
    with pytest.raises(
        DataError, match=r"record 5 of .* is about picture 99, of which .*val\.json"
    ):
        read_visdial(folder, "val")


@pytest.mark.parametrize("round_id", [0, 11])
def test_relevance_of_a_round_that_is_not_there(folder: Path, round_id: int) -> None:
    change(folder / DENSE, 4, "round_id", to=round_id)
    told = rf"record 5 of `dialogs` .* has 10 rounds, so none with the number {round_id}"
    with pytest.raises(DataError, match=told):
        read_visdial(folder, "val")


@pytest.mark.parametrize("number", [-1, 120, "x", None])
def test_an_answer_that_is_not_in_the_list(folder: Path, number: object) -> None:
    path = folder / "visdial_1.0_val.json"
    change(path, "data", "dialogs", 1, "dialog", 1, "answer_options", 5, to=number)
    with pytest.raises(DataError, match=r"round 2 of record 2 of `dialogs` in .* names number"):
        read_visdial(folder, "val")

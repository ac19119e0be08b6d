"""VizWiz: questions of blind people about pictures that they took."""

from __future__ import annotations

from pathlib import Path

from flamingo.evaluation.benchmarks.item import Media
from flamingo.evaluation.benchmarks.readers.vizwiz import read_vizwiz
from tests.evaluation.benchmarks.image_folders import make_vizwiz


def test_an_item(tmp_path: Path) -> None:
    make_vizwiz(tmp_path)
    item = read_vizwiz(tmp_path, "val").items[1]
    assert item.id == "VizWiz_val_00000001"
    assert item.media == (Media(tmp_path / "val/VizWiz_val_00000001.jpg"),)
    # The file has a space at the question's end.
    assert item.fields == {"question": "What color is this?"}
    assert item.answer == "green"
    assert item.references[-1] == "unanswerable"
    assert len(item.references) == 10
    assert item.details["answers"][0] == {"answer_confidence": "yes", "answer": "green"}
    assert (item.details["answer_type"], item.details["answerable"]) == ("other", 1)


def test_hidden_answers(tmp_path: Path) -> None:
    make_vizwiz(tmp_path)
    item = read_vizwiz(tmp_path, "test").items[0]
    assert (item.answer, item.references) == ("", ())
    assert item.details == {"image": "VizWiz_test_00000000.jpg"}


def test_annotations_in_their_own_folder(tmp_path: Path) -> None:
    make_vizwiz(tmp_path)
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "val.json").rename(tmp_path / "Annotations" / "val.json")
    assert len(read_vizwiz(tmp_path, "val").items) == 6

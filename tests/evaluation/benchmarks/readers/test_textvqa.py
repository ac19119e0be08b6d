"""TextVQA: questions whose answers have to be read in the picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flamingo.evaluation.benchmarks.item import Media
from flamingo.evaluation.benchmarks.readers.textvqa import read_textvqa
from flamingo.foundation.errors import DataError
from tests.evaluation.benchmarks.image_folders import make_textvqa


def test_an_item(tmp_path: Path) -> None:
    make_textvqa(tmp_path)
    item = read_textvqa(tmp_path, "val").items[1]
    assert item.id == "34603"
    assert item.media == (Media(tmp_path / "train_images/000000000000872b.jpg"),)
    assert item.fields == {"question": "what color is written here?"}
    assert item.answer == "green"
    assert item.references == ("green",) * 4 + ("blue",) + ("green",) * 5
    assert item.details == {"question_id": 34603, "image_id": "000000000000872b"}


def test_hidden_answers(tmp_path: Path) -> None:
    make_textvqa(tmp_path)
    item = read_textvqa(tmp_path, "test").items[0]
    assert (item.answer, item.references) == ("", ())
    assert item.media[0].path.parent.name == "test_images"


def test_an_answer_that_is_no_text(tmp_path: Path) -> None:
    make_textvqa(tmp_path)
    path = tmp_path / "TextVQA_0.5.1_val.json"
    content = json.loads(path.read_text())
    content["data"][2]["answers"][4] = 1950
    path.write_text(json.dumps(content))
    told = r"entry 5 of 'answers' of record 3 of `data` in .*val\.json is no text, but whole number"
    with pytest.raises(DataError, match=told):
        read_textvqa(tmp_path, "val")

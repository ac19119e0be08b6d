"""VQAv2 and OK-VQA in the format of the VQA challenge."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flamingo.evaluation.benchmarks.item import Media
from flamingo.evaluation.benchmarks.readers.vqa_format import read_okvqa, read_vqav2
from flamingo.foundation.errors import DataError
from tests.evaluation.benchmarks.image_folders import make_okvqa, make_vqav2

VAL_ANNOTATIONS = "v2_mscoco_val2014_annotations.json"


def test_an_item_of_vqav2(tmp_path: Path) -> None:
    make_vqav2(tmp_path)
    item = read_vqav2(tmp_path, "val").items[1]
    assert item.id == "200001"
    assert item.media == (Media(tmp_path / "val2014/COCO_val2014_000000000200.jpg"),)
    assert item.fields == {"question": "What color is the square?"}
    assert item.answer == "blue"
    assert item.references == ("blue",) * 4 + ("yellow",) + ("blue",) * 5
    records = item.details["answers"]
    assert records[4] == {"answer": "yellow", "answer_confidence": "yes", "answer_id": 5}
    assert {name: item.details[name] for name in item.details if name != "answers"} == {
        "question_id": 200001,
        "image_id": 200,
        "question_type": "what color",
        "answer_type": "other",
    }


def test_supports_keep_no_records(tmp_path: Path) -> None:
    make_vqav2(tmp_path)
    assert all("answers" not in item.details for item in read_vqav2(tmp_path, "train").items)


def test_of_equally_common_answers_the_first_is_shown(tmp_path: Path) -> None:
    make_vqav2(tmp_path)
    path = tmp_path / VAL_ANNOTATIONS
    content = json.loads(path.read_text())
    texts = ["once", "a  cat", "dog", "dog", "a  cat"]
    content["annotations"][0]["answers"] = [{"answer": text} for text in texts]
    path.write_text(json.dumps(content))
    item = read_vqav2(tmp_path, "val").items[0]
    assert item.answer == "a cat"
    assert item.references == tuple(texts)


def test_hidden_answers(tmp_path: Path) -> None:
    make_vqav2(tmp_path, num=6)
    development, whole = (read_vqav2(tmp_path, part).items for part in ("test-dev", "test-std"))
    assert whole[:3] == development
    assert len(whole) == 6
    item = whole[5]
    assert item.media == (Media(tmp_path / "test2015/COCO_test2015_000000000302.jpg"),)
    assert (item.answer, item.references) == ("", ())
    assert item.details == {"question_id": 302005, "image_id": 302}


def test_okvqa_shows_words_and_compares_stems(tmp_path: Path) -> None:
    make_okvqa(tmp_path)
    path = tmp_path / "mscoco_val2014_annotations.json"
    content = json.loads(path.read_text())
    for answer in content["annotations"][0]["answers"]:
        answer |= {"raw_answer": "surfing", "answer": "surf"}
    path.write_text(json.dumps(content))
    item = read_okvqa(tmp_path, "val").items[0]
    assert item.answer == "surfing"
    assert item.references == ("surf",) * 10


def test_a_question_without_annotation(tmp_path: Path) -> None:
    make_vqav2(tmp_path)
    path = tmp_path / VAL_ANNOTATIONS
    content = json.loads(path.read_text())
    del content["annotations"][3]
    path.write_text(json.dumps(content))
    with pytest.raises(
        DataError, match=rf"{VAL_ANNOTATIONS} has no answers to the question 201003"
    ):
        read_vqav2(tmp_path, "val")


def test_an_answer_without_text(tmp_path: Path) -> None:
    make_vqav2(tmp_path)
    path = tmp_path / VAL_ANNOTATIONS
    content = json.loads(path.read_text())
    del content["annotations"][3]["answers"][1]["answer"]
    path.write_text(json.dumps(content))
    told = "entry 2 of 'answers' of record 4 of `annotations` in .* lacks the field 'answer'"
    with pytest.raises(DataError, match=told):
        read_vqav2(tmp_path, "val")

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flamingo.evaluation.benchmarks.item import Media
from flamingo.evaluation.benchmarks.readers.star import TYPES, read_star
from flamingo.foundation.errors import DataError
from tests.evaluation.benchmarks.video_folders import make_star


def test_a_question_has_four_choices_a_stretch_and_a_type(tmp_path: Path) -> None:
    make_star(tmp_path)
    items = read_star(tmp_path, "val").items
    assert items[1].media == (Media(tmp_path / "Charades_v1_480/VA001.mp4", 0.5, 2.9),)
    assert items[1].candidates == (
        "The green square.",
        "The blue square.",
        "The gray square.",
        "The white square.",
    )
    assert items[1].references == (items[1].answer,) == ("The blue square.",)
    assert tuple(item.details["type"] for item in items[:4]) == TYPES


def test_the_test_has_no_answers(tmp_path: Path) -> None:
    make_star(tmp_path)
    for item in read_star(tmp_path, "test").items:
        assert (item.answer, item.references, len(item.candidates)) == ("", (), 4)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("answer", "Nothing.", "the answer 'Nothing.' of record 1 of .*STAR_val.json is none of"),
        ("question_id", "Intention_T1_3", "'Intention_T1_3' of record 1 of .* begins with none"),
        ("end", 0.1, r"clip of record 1 of .* from 0\.5 to 0\.1 seconds"),
        ("choices", [{}], "entry 1 of 'choices' of record 1 of .* lacks the field 'choice'"),
    ],
)
def test_damage_is_told_with_its_place(
    tmp_path: Path, field: str, value: object, message: str
) -> None:
    make_star(tmp_path)
    path = tmp_path / "STAR_val.json"
    records = json.loads(path.read_text())
    records[0][field] = value
    path.write_text(json.dumps(records))
    with pytest.raises(DataError, match=message):
        read_star(tmp_path, "val")

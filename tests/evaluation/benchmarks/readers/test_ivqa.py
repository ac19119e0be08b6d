from __future__ import annotations

from pathlib import Path

import pytest

from flamingo.evaluation.benchmarks.item import Media
from flamingo.evaluation.benchmarks.readers.ivqa import read_ivqa
from flamingo.foundation.errors import DataError
from tests.evaluation.benchmarks.video_folders import make_ivqa


def test_a_question_has_five_answers_and_a_stretch(tmp_path: Path) -> None:
    make_ivqa(tmp_path)
    item = read_ivqa(tmp_path, "test").items[0]
    assert item.media == (Media(tmp_path / "video/test----000.mp4", 1.0, 3.0),)
    assert item.fields == {"question": "What moves, and how?"}
    assert item.references == ("red", "red", "green", "red", "red square")
    assert (item.id, item.answer) == ("test----000/1", "red")


def test_a_video_of_another_ending_is_found(tmp_path: Path) -> None:
    make_ivqa(tmp_path)
    path = tmp_path / "video/test----000.mp4"
    path.rename(path.with_suffix(".webm"))
    assert read_ivqa(tmp_path, "test").items[0].media[0].path == path.with_suffix(".webm")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",1,3,", ",3,3,", r"clip of record 1 of .*val\.csv .* from 3\.0 to 3\.0 seconds"),
        (",1,3,", ",x,3,", r"column 'start' of record 1 of .*val\.csv .* but 'x'"),
        (",1,3,", ",1,inf,", r"column 'end' of record 1 of .*val\.csv .* but 'inf'"),
        ("answer5", "answer6", r"val\.csv is damaged: it lacks the column 'answer5'"),
    ],
)
def test_damage_is_told_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    make_ivqa(tmp_path)
    path = tmp_path / "val.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        read_ivqa(tmp_path, "val")

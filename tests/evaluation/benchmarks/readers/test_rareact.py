from __future__ import annotations

from pathlib import Path

import pytest

from flamingo.evaluation.benchmarks.item import Media
from flamingo.evaluation.benchmarks.readers.rareact import read_rareact
from flamingo.foundation.errors import DataError
from tests.evaluation.benchmarks.video_folders import make_rareact


def test_each_row_is_a_query_with_all_actions_as_candidates(tmp_path: Path) -> None:
    make_rareact(tmp_path, num=7)
    pool = read_rareact(tmp_path, "test")
    assert pool.candidates == ("blends a phone", "washes an egg", "fries hair")
    assert [item.id for item in pool.items] == [str(number) for number in range(7)]
    item = pool.items[1]
    assert item.media == (Media(tmp_path / "videos/rareact__00.mp4", 1.0, 3.0),)
    assert (item.answer, item.references) == ("washes an egg", ("washes an egg",))
    assert item.details == {
        "video": "rareact__00",
        "class": 1,
        "verb": "wash",
        "noun": "egg",
        "annotation": 1,
    }


def test_a_row_whose_clip_does_not_show_its_action_has_no_answer(tmp_path: Path) -> None:
    make_rareact(tmp_path)
    item = read_rareact(tmp_path, "test").items[3]
    assert (item.answer, item.references) == ("", ())
    assert (item.details["class"], item.details["annotation"]) == (0, 3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",0,blend,phone,3", ",0,blend,egg,3", "class 0 is 'blend egg' in record 4 of"),
        (",2,fry", ",5,fry", "has 4 classes, but none of them has the number 3"),
        (",1,wash", ",one,wash", "column 'class_id' of record 2 of .* but 'one'"),
    ],
)
def test_damage_is_told_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    make_rareact(tmp_path)
    path = tmp_path / "rareact.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        read_rareact(tmp_path, "test")

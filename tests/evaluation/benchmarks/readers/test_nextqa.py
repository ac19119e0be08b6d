from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from flamingo.evaluation.benchmarks.readers.nextqa import read_nextqa
from flamingo.evaluation.benchmarks.video_benchmarks import NEXTQA
from flamingo.foundation.errors import DataError
from tests.evaluation.benchmarks.video_folders import make_nextqa

OFFICIAL = Path(__file__).resolve().parents[5] / "shared/fixtures/nextoe_val.csv"


def test_a_question_has_a_second_answer_where_the_test_has_one(tmp_path: Path) -> None:
    make_nextqa(tmp_path)
    first, second, *_ = read_nextqa(tmp_path, "test").items
    assert first.references == ("a red square moves left", "goes left")
    assert second.references == ("a green square moves right",)
    assert (first.answer, first.id) == ("a red square moves left", "40000/0")
    assert first.media[0].path == tmp_path / "NExTVideo/1000/40000.mp4"
    assert first.fields == {"question": "what does the square do"}
    assert first.details == {"type": "CW"}


def test_without_second_answers_there_is_one(tmp_path: Path) -> None:
    make_nextqa(tmp_path)
    (tmp_path / "add_reference_answer_test.json").unlink()
    assert all(len(item.references) == 1 for item in read_nextqa(tmp_path, "test").items)


def test_a_video_may_lie_in_the_folder_itself(tmp_path: Path) -> None:
    make_nextqa(tmp_path)
    shutil.move(tmp_path / "NExTVideo/1000/40000.mp4", tmp_path / "NExTVideo/40000.mp4")
    found = read_nextqa(tmp_path, "test").items[0].media[0].path
    assert found == tmp_path / "NExTVideo/40000.mp4"


def test_a_video_that_the_map_lacks_is_named(tmp_path: Path) -> None:
    make_nextqa(tmp_path)
    (tmp_path / "map_vid_vidorID.json").write_text(json.dumps({"1": "1000/1"}))
    with pytest.raises(DataError, match=r"map_vid_vidorID\.json lacks the field '40000'"):
        read_nextqa(tmp_path, "test")


def test_the_file_of_multiple_choice_is_refused(tmp_path: Path) -> None:
    make_nextqa(tmp_path)
    path = tmp_path / "val.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0] + ",a0", *(f"{line},x" for line in lines[1:])]))
    with pytest.raises(DataError, match=r"val\.csv is the file of multiple choice"):
        read_nextqa(tmp_path, "val")


@pytest.mark.skipif(not OFFICIAL.exists(), reason="the official file is not in this checkout")
def test_the_official_file(tmp_path: Path) -> None:
    lines = OFFICIAL.read_text().splitlines()
    assert len(lines) - 1 == NEXTQA.num_items["val"]
    make_nextqa(tmp_path)
    (tmp_path / "val.csv").write_text("\n".join(lines[:501]))
    places = {line.split(",")[0]: f"0000/{line.split(',')[0]}" for line in lines[1:]}
    (tmp_path / "map_vid_vidorID.json").write_text(json.dumps(places))
    items = read_nextqa(tmp_path, "val").items
    assert len(items) == 500
    assert items[0].fields == {"question": "how is the bulldozer controlled"}
    assert items[0].references == ("from the drivers cabin",)
    kinds = {item.details["type"] for item in items}
    assert kinds == {"CW", "CH", "TN", "TC", "TP", "DB", "DC", "DL", "DO"}

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flamingo.evaluation.benchmarks.readers.vatex import read_vatex
from flamingo.foundation.errors import DataError
from tests.evaluation.benchmarks.video_folders import make_vatex


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_a_clip_has_its_ten_english_captions(tmp_path: Path, part: str) -> None:
    make_vatex(tmp_path)
    item = read_vatex(tmp_path, part).items[1]
    assert item.id == f"{part:_<11}_000001_000011"
    # The file is the clip alone, whatever times its name tells.
    assert (item.media[0].start, item.media[0].end) == (None, None)
    assert item.media[0].path == tmp_path / f"videos/{item.id}.mp4"
    assert len(item.references) == 10
    assert item.answer == item.references[0] == "a green square moves right for the 0 time."


def test_a_clip_without_captions_is_told(tmp_path: Path) -> None:
    make_vatex(tmp_path)
    path = tmp_path / "vatex_validation_v1.0.json"
    records = json.loads(path.read_text())
    records[2]["enCap"] = []
    path.write_text(json.dumps(records))
    with pytest.raises(DataError, match=r"record 3 of .*vatex_validation.* has no captions"):
        read_vatex(tmp_path, "val")

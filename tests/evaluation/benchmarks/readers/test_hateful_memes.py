"""HatefulMemes: is a picture with these words on it hateful?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flamingo.evaluation.benchmarks.item import Item, Media
from flamingo.evaluation.benchmarks.readers.hateful_memes import read_hateful_memes
from flamingo.foundation.errors import DataError
from tests.evaluation.benchmarks.image_folders import make_hateful_memes


def change(path: Path, number: int, **fields: object) -> None:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[number] |= fields
    lines[number] = {name: value for name, value in lines[number].items() if value is not None}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_an_item(tmp_path: Path) -> None:
    make_hateful_memes(tmp_path)
    pool = read_hateful_memes(tmp_path, "test_seen")
    assert pool.candidates == ("no", "yes")
    assert pool.items[1] == Item(
        id="04001",
        media=(Media(tmp_path / "img/04001.png"),),
        fields={"meme_text": 'when you see "purple"'},
        answer="yes",
        references=("yes",),
        details={"id": 4001},
    )
    assert [item.answer for item in pool.items[:3]] == ["no", "yes", "no"]


def test_a_release_without_labels(tmp_path: Path) -> None:
    make_hateful_memes(tmp_path, num=3)
    for number in range(3):
        change(tmp_path / "test_seen.jsonl", number, label=None)
    items = read_hateful_memes(tmp_path, "test_seen").items
    assert [(item.answer, item.references) for item in items] == [("", ())] * 3


def test_a_label_that_is_missing_among_others(tmp_path: Path) -> None:
    make_hateful_memes(tmp_path)
    change(tmp_path / "dev_seen.jsonl", 2, label=None)
    with pytest.raises(DataError, match=r"record 3 of .*dev_seen\.jsonl lacks the field 'label'"):
        read_hateful_memes(tmp_path, "dev_seen")


def test_a_label_that_means_nothing(tmp_path: Path) -> None:
    make_hateful_memes(tmp_path)
    change(tmp_path / "dev_seen.jsonl", 0, label=2)
    with pytest.raises(DataError, match=r"label of record 1 of .* is 2, not 0 or 1"):
        read_hateful_memes(tmp_path, "dev_seen")

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flamingo.data.collection.images.lists import write_image_list
from flamingo.data.collection.pages import ImageNode, Page, TextNode
from flamingo.foundation.errors import ConfigError

PAGES = [
    Page(
        "http://a.org/",
        "A",
        (
            ImageNode("http://a.org/1.png", "one\ud800"),
            TextNode("words"),
            ImageNode("data:image/png;base64,AAAA"),
            ImageNode("images/local.png"),
            ImageNode("https://b.org/2.png"),
        ),
    ),
    Page("http://a.org/b", "B", (ImageNode("http://A.org:80/1.png", "again"),)),
]
ROWS = [
    {"url": "http://a.org/1.png", "alt": "one?", "page": "http://a.org/"},
    {"url": "https://b.org/2.png", "alt": "", "page": "http://a.org/"},
]


def test_every_address_is_listed_once(tmp_path: Path) -> None:
    assert write_image_list(PAGES, tmp_path / "lists" / "x.jsonl") == 2
    lines = (tmp_path / "lists" / "x.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == ROWS
    assert write_image_list(iter(PAGES), tmp_path / "x.parquet") == 2
    assert pq.read_table(tmp_path / "x.parquet").to_pylist() == ROWS
    assert write_image_list([], tmp_path / "none.parquet") == 0
    assert pq.read_table(tmp_path / "none.parquet").column_names == ["url", "alt", "page"]


@pytest.mark.parametrize("name", ["x.jsonl", "x.parquet"])
def test_a_list_is_whole_or_not_there(tmp_path: Path, name: str) -> None:
    def broken() -> Iterator[Page]:
        yield from PAGES
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_image_list(broken(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_other_endings_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="parquet or"):
        write_image_list(PAGES, tmp_path / "x.csv")

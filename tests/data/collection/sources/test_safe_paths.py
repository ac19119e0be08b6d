from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamingo.data.collection.sources.safe_paths import (
    normal_name,
    path_below,
    possible_names,
    read_bounded,
)
from flamingo.foundation.errors import DataError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret.png").write_bytes(b"secret")
    root = tmp_path / "root"
    (root / "in").mkdir(parents=True)
    (root / "in" / "a b.png").write_bytes(b"picture")
    (root / "in" / "link.png").symlink_to("a b.png")
    (root / "in" / "out.png").symlink_to(tmp_path / "secret.png")
    (root / "up").symlink_to(tmp_path)
    return root


@pytest.mark.parametrize(
    "name",
    [
        "in/a b.png",
        "/in/a b.png",
        "./in/./a b.png",
        "in/../in/a b.png",
        "in//a b.png",
        "in/link.png",
    ],
)
def test_finds_what_is_below(root: Path, name: str) -> None:
    path = path_below(root, name)
    assert path is not None
    assert path.read_bytes() == b"picture"


@pytest.mark.parametrize(
    "name",
    [
        "../secret.png",
        "in/../../secret.png",
        "in/out.png",
        "up/secret.png",
        "in",
        "",
        ".",
        "/",
        "..",
        "in/a b.png\0",
        "x" * 5000,
        "in/" + "y" * 300,
        "in/a b.png/x",
    ],
)
def test_finds_nothing_else(root: Path, name: str) -> None:
    assert path_below(root, name) is None


def test_an_absolute_path_starts_at_the_root(root: Path) -> None:
    assert path_below(root, str(root.parent / "secret.png")) is None


@given(st.text(alphabet="./\\%2eEina b\0", max_size=40))
@settings(max_examples=200)
def test_no_name_leads_out(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    root = tmp_path_factory.getbasetemp().resolve()
    for one in possible_names(name):
        normal = normal_name(one)
        if normal is not None:
            inside = os.path.normpath(root / normal)
            assert Path(inside).is_relative_to(root)
            assert Path(inside) != root


def test_names_are_decoded_once() -> None:
    assert "../x.png" in list(possible_names("%2e%2e/x.png"))
    assert "../x.png" not in list(possible_names("%252e%252e/x.png"))


def test_queries_are_dropped_only_after_the_whole_name_was_tried() -> None:
    names = list(possible_names("a%20b.png?v=1#top"))
    assert names[0] == "a%20b.png?v=1#top"
    assert names[-1] == "a b.png"
    assert "a%20b.png?v=1" in names


def test_reading_is_bounded(root: Path) -> None:
    path = root / "in" / "a b.png"
    assert read_bounded(path, 7) == b"picture"
    with pytest.raises(DataError, match="7 bytes, more than the 6"):
        read_bounded(path, 6)


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.html")
    with pytest.raises(DataError, match="not a regular file"):
        read_bounded(tmp_path / "pipe.html", 10)
    assert path_below(tmp_path, "pipe.html") is None

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from flamingo.data.collection.pages import RawPage
from flamingo.data.collection.sources.folders import FolderPages
from flamingo.data.collection.sources.source import MAX_PAGE_BYTES
from flamingo.data.skipping import Skipped
from flamingo.foundation.errors import ConfigError, DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    for name in (
        "b.html",
        "a/z.HTM",
        "a/y.xhtml",
        "a.html",
        ".hidden.html",
        ".git/c.html",
        "x.txt",
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<p>{name}")
    return root


def _read(source: FolderPages, pages_per_piece: int = 2) -> list[RawPage | Skipped]:
    return [page for piece in source.pieces(pages_per_piece) for page in source.read(piece)]


def test_pages_come_in_the_order_of_their_paths(folder: Path) -> None:
    pages = _read(FolderPages(folder))
    assert pages == [
        RawPage(name, f"<p>{name}".encode())
        for name in ("a.html", "a/y.xhtml", "a/z.HTM", "b.html")
    ]


def test_pieces_are_named_and_can_be_pickled(folder: Path) -> None:
    pieces = FolderPages(folder).pieces(3)
    assert [piece.name for piece in pieces] == ["pages-000000", "pages-000001"]
    assert [piece.entries for piece in pieces] == [("a.html", "a/y.xhtml", "a/z.HTM"), ("b.html",)]
    assert pickle.loads(pickle.dumps(pieces)) == pieces
    with pytest.raises(ConfigError, match="pages_per_piece=0"):
        FolderPages(folder).pieces(0)


def test_links_do_not_lead_out(folder: Path) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "secret.html").write_text("<p>secret")
    (folder / "c.html").symlink_to(outside / "secret.html")
    (folder / "d").symlink_to(outside)
    (folder / "e.html").symlink_to("b.html")
    found = _read(FolderPages(folder))
    assert Skipped("c.html", "it is gone, no file, or outside of the folder") in found
    assert RawPage("e.html", b"<p>b.html") in found
    assert not any(b"secret" in page.content for page in found if isinstance(page, RawPage))


def test_what_cannot_be_read_is_skipped(folder: Path) -> None:
    pieces = FolderPages(folder).pieces(10)
    (folder / "b.html").unlink()
    with (folder / "a.html").open("wb") as file:
        file.truncate(MAX_PAGE_BYTES + 1)
    found = list(FolderPages(folder).read(pieces[0]))
    assert [type(page) for page in found] == [Skipped, RawPage, RawPage, Skipped]
    assert isinstance(found[0], Skipped)
    assert "more than the" in found[0].reason


def test_a_name_that_is_no_text_can_be_reported(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.html")).write_text("<p>odd")
    (page,) = _read(FolderPages(tmp_path))
    assert isinstance(page, RawPage)
    assert page.address.encode() == b"\\udcff.html"
    assert page.content == b"<p>odd"


def test_a_folder_without_pages_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file that ends in"):
        FolderPages(tmp_path).pieces(10)

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flamingo.data.collection.pages import RawPage
from flamingo.data.collection.sources import PageSource, open_source
from flamingo.data.collection.sources.archives import ArchivePages
from flamingo.data.collection.sources.folders import FolderPages
from flamingo.data.collection.sources.json_lines import JsonLinesPages
from flamingo.data.collection.sources.warcs import WarcPages
from flamingo.foundation.errors import ConfigError, DataError
from tests.data.collection.warcs_for_tests import page


def _addresses(source: PageSource) -> list[str]:
    found = [one for piece in source.pieces(1) for one in source.read(piece)]
    return [one.address for one in found if isinstance(one, RawPage)]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    for name in ("b.html", "a.html"):
        (tmp_path / "site" / name).write_text("<p>")
    (tmp_path / "site" / "download.zip").write_bytes(b"PK")
    (tmp_path / "x.warc").write_bytes(page("http://a.org/", b"<p>"))
    (tmp_path / "x.jsonl").write_text(json.dumps({"url": "http://b.org/", "html": "<p>"}))
    return tmp_path


def test_a_path_is_opened_as_what_it_is(files: Path) -> None:
    assert isinstance(open_source(files / "site"), FolderPages)
    assert isinstance(open_source(str(files / "x.warc")), WarcPages)
    assert isinstance(open_source(files / "x.jsonl"), JsonLinesPages)
    assert isinstance(open_source(files / "site", kind="archive"), ArchivePages)


def test_one_page_has_its_folder_as_root(files: Path) -> None:
    source = open_source(files / "site" / "a.html")
    assert isinstance(source, FolderPages)
    assert source.folder == files / "site"
    assert _addresses(source) == ["a.html"]


def test_several_are_read_one_after_the_other(files: Path) -> None:
    source = open_source([files / "x.jsonl", files / "site", files / "x.warc"])
    pieces = source.pieces(1)
    assert [piece.source for piece in pieces] == [0, 1, 1, 2]
    assert len({piece.name for piece in pieces}) == 4
    assert not any("." in piece.name or "/" in piece.name for piece in pieces)
    assert _addresses(source) == ["http://b.org/", "a.html", "b.html", "http://a.org/"]


def test_names_do_not_depend_on_the_place_of_the_input(files: Path, tmp_path: Path) -> None:
    names = [piece.name for piece in open_source(files / "x.warc").pieces(1)]
    (tmp_path / "moved").mkdir()
    (files / "x.warc").rename(tmp_path / "moved" / "x.warc")
    moved = open_source(tmp_path / "moved" / "x.warc")
    assert [piece.name for piece in moved.pieces(1)] == names


def test_a_folder_of_several_kinds_wants_to_be_told_which(files: Path) -> None:
    with pytest.raises(ConfigError, match="2 of kind html, 1 of kind warc, 1 of kind jsonl"):
        open_source(files)
    assert _addresses(open_source(files, kind="warc")) == ["http://a.org/"]


def test_wrong_paths_and_kinds_are_told(files: Path) -> None:
    with pytest.raises(DataError, match="no file or folder"):
        open_source(files / "none")
    with pytest.raises(ConfigError, match="no kind of source 'htm'"):
        open_source(files, kind="htm")
    with pytest.raises(ConfigError, match="no source of pages"):
        open_source([])
    (files / "x.txt").write_text("words")
    with pytest.raises(DataError, match="is no source of pages"):
        open_source(files / "x.txt")
    (files / "empty").mkdir()
    with pytest.raises(DataError, match="holds no pages"):
        open_source(files / "empty")
    with pytest.raises(DataError, match="no file that ends in"):
        open_source(files / "site", kind="warc")


def test_the_index_goes_where_it_is_told(files: Path) -> None:
    before = sorted(files.rglob("*"))
    open_source(files / "x.warc").pieces(1)
    assert sorted(files.rglob("*")) == before
    open_source(files / "x.warc", work=files / "work").pieces(1)
    assert len(list((files / "work").iterdir())) == 1

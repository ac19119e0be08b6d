from __future__ import annotations

import contextlib
import pickle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flamingo.data.collection.pages import RawPage
from flamingo.data.collection.sources.archives import Archive, ArchivePages
from flamingo.data.collection.sources.source import MAX_PAGE_BYTES
from flamingo.data.skipping import Skipped
from flamingo.foundation.errors import DataError
from tests.data.collection.archives_for_tests import write_tar, write_zip

FILES = {
    "site/b.html": b"<p>b",
    "./site/a.HTM": b"<p>a",
    "site/x.png": b"picture",
    "../out.html": b"<p>out",
    "/root.html": b"<p>root",
}


WRITERS = {"x.tar": write_tar, "x.zip": write_zip}


def _read(folder: Path, name: str) -> list[RawPage | Skipped]:
    source = pickle.loads(pickle.dumps(ArchivePages(folder, (name,))))
    return [page for piece in source.pieces(2) for page in source.read(piece)]


@pytest.mark.parametrize("name", list(WRITERS))
def test_pages_are_read_by_their_names(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name, FILES)
    assert _read(tmp_path, name) == [
        RawPage("root.html", b"<p>root"),
        RawPage("site/a.HTM", b"<p>a"),
        RawPage("site/b.html", b"<p>b"),
    ]


@pytest.mark.parametrize("name", list(WRITERS))
def test_what_is_too_large_is_skipped(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name, {"a.html": bytes(MAX_PAGE_BYTES + 1), "b.html": b"<p>"})
    skipped, page = _read(tmp_path, name)
    assert isinstance(skipped, Skipped)
    assert "more than the" in skipped.reason
    assert page == RawPage("b.html", b"<p>")


def test_a_damaged_member_is_skipped(tmp_path: Path) -> None:
    write_zip(tmp_path / "x.zip", {"a.html": b"<p>some words" * 9, "b.html": b"<p>"})
    content = bytearray((tmp_path / "x.zip").read_bytes())
    content[40:44] = b"\xff\xff\xff\xff"
    (tmp_path / "x.zip").write_bytes(content)
    skipped, page = _read(tmp_path, "x.zip")
    assert isinstance(skipped, Skipped)
    assert page == RawPage("b.html", b"<p>")


def test_what_is_before_a_cut_is_read(tmp_path: Path) -> None:
    write_tar(tmp_path / "x.tar", {"a.html": b"<p>a", "b.html": b"<p>b" * 999})
    (tmp_path / "x.tar").write_bytes((tmp_path / "x.tar").read_bytes()[:2100])
    page, skipped = _read(tmp_path, "x.tar")
    assert page == RawPage("a.html", b"<p>a")
    assert isinstance(skipped, Skipped)
    assert "cut off" in skipped.reason


def test_what_is_no_archive_is_told(tmp_path: Path) -> None:
    for name in WRITERS:
        (tmp_path / name).write_bytes(b"words" * 400)
        with pytest.raises(DataError, match="no zip and no uncompressed tar"):
            _ = Archive(tmp_path / name).names
    write_zip(tmp_path / "x.zip", {"x.png": b"picture"})
    with pytest.raises(DataError, match="no HTML file"):
        ArchivePages(tmp_path, ("x.zip",)).pieces(1)


@given(data=st.data(), name=st.sampled_from(list(WRITERS)))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_changed_bytes_raise_nothing_of_others(
    tmp_path: Path, data: st.DataObject, name: str
) -> None:
    WRITERS[name](tmp_path / name, FILES)
    content = bytearray((tmp_path / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, min(len(content), 1200) - 1))
        content[place : place + 2] = data.draw(st.binary(min_size=1, max_size=3))
    (tmp_path / name).write_bytes(content)
    with contextlib.suppress(DataError):
        assert all(isinstance(page, RawPage | Skipped) for page in _read(tmp_path, name))

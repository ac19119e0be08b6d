from __future__ import annotations

import contextlib
import gzip
import io
import pickle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flamingo.data.collection.pages import RawPage
from flamingo.data.collection.sources import warc_index
from flamingo.data.collection.sources.source import MAX_PAGE_BYTES, Piece
from flamingo.data.collection.sources.warc_scan import Damage, records
from flamingo.data.collection.sources.warcs import WarcPages
from flamingo.data.skipping import Skipped
from flamingo.foundation.errors import DataError
from tests.data.collection.warcs_for_tests import chunked, compressed, page, record

GZIPPED = gzip.compress(b"<p>gzip", mtime=0)
RECORDS = [
    record("warcinfo", "", b"software: by hand\r\n", "application/warc-fields"),
    page("http://a.org/plain", b"<p>plain", "text/html; charset=iso-8859-1"),
    record("request", "http://a.org/plain", b"GET / HTTP/1.1\r\n\r\n"),
    page("http://a.org/chunked", chunked(b"<p>chunked"), more="Transfer-Encoding: chunked\r\n"),
    page("http://a.org/image.png", b"\x89PNG", "image/png"),
    page("http://a.org/gzip", GZIPPED, more="Content-Encoding: gzip\r\n"),
    page("http://a.org/gone", b"<p>gone", status="404 Not Found"),
    page("http://a.org/untyped", b"\n<!DOCTYPE html><p>untyped", ""),
    page("http://a.org/text", b"words", "text/plain"),
    record("resource", "http://a.org/resource", b"<p>resource", "text/html"),
]
BODIES = {
    "plain": b"<p>plain",
    "chunked": b"<p>chunked",
    "gzip": b"<p>gzip",
    "untyped": b"\n<!DOCTYPE html><p>untyped",
    "resource": b"<p>resource",
}
PAGES = [
    RawPage(
        f"http://a.org/{name}",
        body,
        "iso-8859-1" if name == "plain" else None,
        date="2024-01-02T03:04:05Z",
    )
    for name, body in BODIES.items()
]
FORMS = {
    "plain.warc": b"".join(RECORDS),
    "records.warc.gz": compressed(RECORDS),
    "whole.warc.gz": gzip.compress(b"".join(RECORDS), mtime=0),
}


def _pages(folder: Path, content: bytes, name: str = "x.warc") -> list[RawPage | Skipped]:
    (folder / name).write_bytes(content)
    source = WarcPages(folder, (name,))
    return [page for piece in source.pieces(2) for page in source.read(piece)]


@pytest.mark.parametrize("name", list(FORMS))
def test_every_form_gives_the_same_pages(tmp_path: Path, name: str) -> None:
    assert _pages(tmp_path, FORMS[name], name) == PAGES


def test_pieces_are_cut_where_records_begin(tmp_path: Path) -> None:
    (tmp_path / "x.warc.gz").write_bytes(FORMS["records.warc.gz"])
    source = pickle.loads(pickle.dumps(WarcPages(tmp_path, ("x.warc.gz",))))
    pieces: list[Piece] = pickle.loads(pickle.dumps(source.pieces(2)))
    assert [len(piece.entries or ()) for piece in pieces] == [2, 2, 1]
    assert [piece.name for piece in pieces] == [
        f"x-warc-gz-{pieces[0].name[10:18]}-{number:06d}" for number in range(3)
    ]
    # Any piece can be read without the others.
    assert list(source.read(pieces[2])) == PAGES[4:]


def test_a_file_compressed_as_a_whole_is_one_piece(tmp_path: Path) -> None:
    (tmp_path / "x.warc.gz").write_bytes(FORMS["whole.warc.gz"])
    (piece,) = WarcPages(tmp_path, ("x.warc.gz",)).pieces(2)
    assert piece.entries is None


@pytest.mark.parametrize("name", list(FORMS))
def test_the_end_of_a_cut_file_is_told(tmp_path: Path, name: str) -> None:
    found = _pages(tmp_path, FORMS[name][:-30], name)
    skipped = [page for page in found if isinstance(page, Skipped)]
    assert [page for page in found if isinstance(page, RawPage)] == PAGES[:4]
    assert len(skipped) == 1
    assert "ends inside" in skipped[0].reason or "cut off" in skipped[0].reason


@pytest.mark.parametrize("name", ["plain.warc", "records.warc.gz"])
def test_pages_behind_a_damaged_place_are_found(tmp_path: Path, name: str) -> None:
    content = bytearray(FORMS[name])
    mark = b"WARC/1.0" if name == "plain.warc" else b"\x1f\x8b\x08"
    places = [place for place in range(len(content)) if content.startswith(mark, place)]
    # Of the chunked page: the version of its record, or bytes in the middle of it.
    place = places[3] if name == "plain.warc" else places[3] + 60
    content[place : place + 8] = b"\xffDAMAGE\xff"
    found = _pages(tmp_path, bytes(content), name)
    assert [page for page in found if isinstance(page, RawPage)] == [PAGES[0], *PAGES[2:]]
    assert sum(isinstance(page, Skipped) for page in found) == 1


def test_a_wrong_sum_takes_the_page_back(tmp_path: Path) -> None:
    parts = [gzip.compress(one, mtime=0) for one in RECORDS]
    parts[1] = parts[1][:-8] + bytes(4) + parts[1][-4:]
    found = _pages(tmp_path, b"".join(parts), "x.warc.gz")
    assert [page for page in found if isinstance(page, RawPage)] == PAGES[1:]


def test_an_archive_within_a_page_stays_there(tmp_path: Path) -> None:
    inner = page("http://a.org/inner", b"<p>inner")
    found = _pages(tmp_path, page("http://a.org/outer", b"<pre>\r\n" + inner))
    assert [one.address for one in found if isinstance(one, RawPage)] == ["http://a.org/outer"]


def test_bodies_that_cannot_be_decoded_are_skipped(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(MAX_PAGE_BYTES + 1))
    found = _pages(
        tmp_path,
        page("http://a.org/bomb", bomb, more="Content-Encoding: gzip\r\n")
        + page("http://a.org/cut", GZIPPED[:-9], more="Content-Encoding: gzip\r\n")
        + RECORDS[1],
    )
    reasons = [one.reason for one in found if isinstance(one, Skipped)]
    assert "more than the" in reasons[0]
    assert "cut off" in reasons[1]
    assert found[2:] == PAGES[:1]


def test_the_index_is_kept_until_the_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, work = tmp_path / "x.warc", tmp_path / "work"
    path.write_bytes(FORMS["plain.warc"][:-30])
    first = warc_index.index_warc(path, work)
    scans: list[Path] = []
    scan = warc_index._scan
    monkeypatch.setattr(warc_index, "_scan", lambda path: scans.append(path) or scan(path))
    again = warc_index.index_warc(path, work)
    assert not scans
    assert again.pages.tolist() == first.pages.tolist()
    assert again.images.tolist() == first.images.tolist()
    assert again.damages == first.damages != ()
    path.write_bytes(FORMS["plain.warc"])
    assert len(warc_index.index_warc(path, work).pages) == len(PAGES)
    (kept,) = work.iterdir()
    kept.write_bytes(kept.read_bytes()[:100])
    assert len(warc_index.index_warc(path, work).pages) == len(PAGES)
    assert len(scans) == 2


def test_an_archive_without_pages_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.warc").write_bytes(RECORDS[0])
    with pytest.raises(DataError, match="no HTML page in 1 web archives"):
        WarcPages(tmp_path, ("x.warc",)).pieces(2)
    (tmp_path / "x.warc").write_bytes(b"no archive at all")
    with pytest.raises(DataError, match="Invalid WARC header"):
        WarcPages(tmp_path, ("x.warc",)).pieces(2)
    with pytest.raises(DataError, match="cannot be read"):
        WarcPages(tmp_path, ("none.warc",)).pieces(2)


def test_a_file_full_of_damage_is_given_up() -> None:
    content = b"\nWARC/1.0\r\nbroken\r\n" * 3000
    found = list(records(io.BytesIO(content)))
    assert all(isinstance(one, Damage) for one in found)
    assert len(found) <= 1001


@given(data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_changed_bytes_cost_few_pages_and_raise_nothing(
    tmp_path: Path, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(list(FORMS)))
    content = bytearray(FORMS[name])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 4))
        content[place : place + length] = data.draw(st.binary(max_size=4))
    try:
        found = _pages(tmp_path, bytes(content), name)
    except DataError:
        return
    assert all(isinstance(one, RawPage | Skipped) for one in found)


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_pages_or_our_error(tmp_path: Path, content: bytes) -> None:
    with contextlib.suppress(DataError):
        _pages(tmp_path, content)

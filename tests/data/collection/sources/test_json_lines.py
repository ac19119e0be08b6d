from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flamingo.data.collection.pages import RawPage
from flamingo.data.collection.sources.json_lines import JsonLinesPages
from flamingo.data.skipping import Skipped
from flamingo.foundation.errors import DataError


def _pages(folder: Path, lines: list[object], pages_per_piece: int = 2) -> list[RawPage | Skipped]:
    text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (folder / "list.jsonl").write_text("\n".join(text), encoding="utf-8")
    source = JsonLinesPages(folder, ("list.jsonl",))
    return [page for piece in source.pieces(pages_per_piece) for page in source.read(piece)]


def test_pages_are_in_the_list_or_beside_it(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "one.html").write_bytes(b"<p>\xfc")
    found = _pages(
        tmp_path,
        [
            {"url": "http://a.org/1", "html": "<p>ü", "date": "2024-01-02"},
            "",
            {"url": "http://a.org/2", "path": "pages/one.html", "encoding": "latin-1"},
            {"url": "http://a.org/3", "html": ""},
        ],
    )
    assert found == [
        RawPage("http://a.org/1", "<p>ü".encode(), "utf-8", date="2024-01-02"),
        RawPage("http://a.org/2", b"<p>\xfc", "latin-1"),
        RawPage("http://a.org/3", b"", "utf-8"),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{broken", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("7", "holds a int"),
        ({"html": "<p>"}, "url is missing"),
        ({"url": "http://a.org/"}, "neither html nor path"),
        ({"url": 7, "html": ""}, "url is a int"),
        ({"url": "http://a.org/", "path": "../secret.html"}, "no file"),
        ({"url": "http://a.org/", "path": "link.html"}, "no file"),
        ({"url": "http://a.org/", "path": "/etc/passwd"}, "no file"),
        ({"url": "http://a.org/", "path": "."}, "no file"),
    ],
)
def test_a_line_that_is_no_page_is_skipped_and_named(
    tmp_path: Path, line: object, problem: str
) -> None:
    folder = tmp_path / "root"
    folder.mkdir()
    (tmp_path / "secret.html").write_text("secret")
    (folder / "link.html").symlink_to(tmp_path / "secret.html")
    good = {"url": "http://a.org/good", "html": "<p>"}
    found = _pages(folder, [good, good, line, good])
    assert [type(page) for page in found] == [RawPage, RawPage, Skipped, RawPage]
    skipped = found[2]
    assert isinstance(skipped, Skipped)
    assert skipped.sample.endswith("list.jsonl, line 3")
    assert problem in skipped.reason


def test_half_a_surrogate_pair_does_no_harm(tmp_path: Path) -> None:
    (page,) = _pages(tmp_path, ['{"url": "http://a.org/\\ud800", "html": "<p>\\ud800"}'])
    assert page == RawPage("http://a.org/?", b"<p>?", "utf-8")


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_pages_or_our_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list.jsonl").write_bytes(content)
    source = JsonLinesPages(tmp_path, ("list.jsonl",))
    with contextlib.suppress(DataError):
        for piece in source.pieces(2):
            assert all(isinstance(page, RawPage | Skipped) for page in source.read(piece))

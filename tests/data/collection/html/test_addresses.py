"""Addresses on a page: URLs, paths below a folder, and what is neither."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flamingo.data.collection.html.addresses import MAX_DATA_ADDRESS, MIN_DATA_ADDRESS, Addresses

PICTURE = "data:image/png;base64," + "A" * MIN_DATA_ADDRESS


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("b.png", "https://a.org/x/b.png"),
        ("../b.png?v=1#part", "https://a.org/b.png?v=1"),
        ("/b.png", "https://a.org/b.png"),
        ("//c.org/b.png", "https://c.org/b.png"),
        ("HTTP://c.org/b c.png", "http://c.org/b%20c.png"),
        (" \n b.png\t", "https://a.org/x/b.png"),
        ("..\\b.png", "https://a.org/b.png"),
        ("javascript:alert(1)", None),
        ("mailto:a@b.org", None),
        ("ftp://c.org/b.png", None),
        ("file:///etc/passwd", None),
        ("http://[", None),
        ("http://", None),
        ("#top", None),
        ("", None),
        ("x" * 5_000, None),
    ],
)
def test_on_a_page_of_the_web(reference: str, expected: str | None) -> None:
    assert Addresses("https://a.org/x/page.html")(reference) == expected


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("b.png", "docs/en/b.png"),
        ("images/b-1.png", "docs/en/images/b-1.png"),
        ("./b.png", "docs/en/b.png"),
        ("../../b.png", "b.png"),
        ("/b.png", "b.png"),
        ("my%20picture.png?v=2", "docs/en/my picture.png"),
        ("a%3Fb.png", "docs/en/a?b.png"),
        ("https://c.org/b.png", "https://c.org/b.png"),
        ("//c.org/b.png", "https://c.org/b.png"),
        ("../../../b.png", None),
        ("images/../../../../b.png", None),
        ("%2e%2e/%2e%2e/%2e%2e/b.png", None),
        ("..\\..\\..\\b.png", None),
        ("..%5c..%5c..%5cb.png", None),
        ("a%00.png", None),
        ("C:\\b.png", None),
        ("file:///etc/passwd", None),
    ],
)
def test_in_a_folder(reference: str, expected: str | None) -> None:
    assert Addresses("docs/en/page.html")(reference) == expected


@given(st.text(alphabet="./\\%2eE5cCabC:?# \0", max_size=40))
@example("/../../etc/passwd")
@example("a/%2e%2e/%2e%2e/..")
def test_no_path_leads_out_of_the_folder(reference: str) -> None:
    found = Addresses("docs/page.html")(reference)
    if found is not None and "://" not in found:
        inside = posixpath.normpath(posixpath.join("/folder", found))
        assert inside.startswith("/folder/")
        assert "\0" not in found


def test_the_base_of_a_page_counts() -> None:
    assert Addresses("en/a.html", "../pictures/")("b.png") == "pictures/b.png"
    assert Addresses("en/a.html", "https://c.org/d/")("b.png") == "https://c.org/d/b.png"
    assert Addresses("en/a.html", "../../..")("b.png") == "en/b.png"
    assert Addresses("https://a.org/", "mailto:x")("b.png") == "https://a.org/b.png"


def test_paths_from_deep_folders() -> None:
    deep = "/".join("abcdefghijkl") + "/page.html"
    assert Addresses(deep)("../" * 8 + "x.png") == "a/b/c/d/x.png"
    assert Addresses(deep)("../" * 12 + "x.png") == "x.png"
    assert Addresses(deep)("../" * 13 + "x.png") is None


def test_images_within_the_page_have_bounds() -> None:
    addresses = Addresses("https://a.org/")
    assert addresses(PICTURE) == PICTURE
    assert addresses("data:image/gif;base64,R0lGODlhAQABAAAAACw=") is None
    assert addresses(PICTURE + "A" * MAX_DATA_ADDRESS) is None
    assert addresses(PICTURE.replace("image/png", "image/svg+xml")) is None
    assert addresses(PICTURE.replace("image/png", "text/html")) is None

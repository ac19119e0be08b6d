"""A page's `<base>` moves its images: elsewhere in the folder, but never out of it."""

from __future__ import annotations

import pytest

from flamingo.data.collection.html.addresses import Addresses


@pytest.mark.parametrize(
    ("page", "base", "meant"),
    [
        ("a/b/page.html", "../../", "x.png"),
        ("a/b/page.html", "/", "x.png"),
        ("a/b/page.html", "../c/", "a/c/x.png"),
        ("a/b/page.html", "../c/other.html", "a/c/x.png"),
        ("a/b/page.html", "../../../", "a/b/x.png"),
        ("a/b/page.html", "file:///etc/", "a/b/x.png"),
        ("a/b/page.html", "https://example.org/d/", "https://example.org/d/x.png"),
        ("https://example.org/a/b.html", "/", "https://example.org/x.png"),
        ("https://example.org/a/b.html", "javascript:x", "https://example.org/a/x.png"),
    ],
)
def test_images_are_where_the_base_says(page: str, base: str, meant: str) -> None:
    assert Addresses(page, base)("x.png") == meant

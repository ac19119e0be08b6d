"""What a page says of itself."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser

from flamingo.data.collection.html.head import Head, read_head


def head(html: str) -> Head:
    return read_head(LexborHTMLParser(html))


@pytest.mark.parametrize(
    ("html", "language"),
    [
        ("<html lang=en>", "en"),
        ("<html lang='de-AT'>", "de"),
        ("<html xml:lang='PT_br'>", "pt"),
        ("<html lang=''><meta http-equiv=Content-Language content='fr, en'>", "fr"),
        ("<meta property=og:locale content=en_US>", "en"),
        ("<html lang=english>", None),
        ("<p>", None),
    ],
)
def test_language(html: str, language: str | None) -> None:
    assert head(html).language == language


@pytest.mark.parametrize(
    ("html", "license_"),
    [
        ("<link rel=license href=a>", "a"),
        ("<meta name=dc.rights content='All  rights'>", "All rights"),
        ("<body><a rel='nofollow license' href=b>x</a>", "b"),
        (
            "<body><a href=https://creativecommons.org/>x</a>"
            "<a href=https://creativecommons.org/licenses/by/4.0/>y</a>",
            "https://creativecommons.org/licenses/by/4.0/",
        ),
        ("<body><a href=/license>x</a>", None),
    ],
)
def test_license(html: str, license_: str | None) -> None:
    assert head(html).license == license_


def test_titles_for_sharing_go_first() -> None:
    html = "<title>A\n - Site</title><meta property='og:title' content=' A '>"
    assert head(html).titles == ("A", "A - Site")
    assert head("<title> </title>").titles == ()
    assert head("<base href=/x/><base href=/y/>").base == "/x/"

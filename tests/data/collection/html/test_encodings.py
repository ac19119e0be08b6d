"""Bytes become UTF-8, whatever they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.collection.html.encodings import as_utf8

RUSSIAN = "<p>Съешь же ещё этих мягких французских булок, да выпей чаю</p>"
JAPANESE = "<p>いろはにほへと ちりぬるを わかよたれそ つねならむ</p>"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "utf-8"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (JAPANESE, "iso2022_jp"),
    ],
)
def test_what_a_header_or_the_page_says(text: str, encoding: str) -> None:
    assert as_utf8(text.encode(encoding), encoding).decode() == text
    page = f'<meta http-equiv=x content="text/html; charset={encoding}">{text}'
    assert as_utf8(page.encode(encoding)).decode() == page


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_of_byte_order_win(encoding: str) -> None:
    assert as_utf8(RUSSIAN.encode(encoding), "cp1251").decode() == RUSSIAN


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_wide_text_without_a_mark_is_known_by_its_zeros(encoding: str) -> None:
    page = f"<html><head><title>Bread</title></head><body>{RUSSIAN}</body></html>"
    assert as_utf8(page.encode(encoding)).decode() == page


def test_wrong_labels_do_no_harm() -> None:
    assert as_utf8(RUSSIAN.encode(), "cp1251").decode() == RUSSIAN
    assert as_utf8(RUSSIAN.encode("cp1251"), "utf-8").decode() == RUSSIAN
    for label in ("rot13", "zip", "no-such", "undefined", "utf-7", ""):
        assert as_utf8(RUSSIAN.encode(), label).decode() == RUSSIAN


def test_a_few_broken_bytes_break_only_themselves() -> None:
    assert as_utf8(RUSSIAN.encode() + b"\xff").decode() == RUSSIAN + "\ufffd"
    assert as_utf8(RUSSIAN.encode()[:-5]).decode().startswith(RUSSIAN[:50])
    assert as_utf8("<p>Käse für Jörg</p>".encode("latin-1"), "latin-1").decode() == (
        "<p>Käse für Jörg</p>"
    )


@given(st.binary(max_size=200), st.none() | st.text(max_size=12))
def test_it_never_fails(content: bytes, told: str | None) -> None:
    as_utf8(content, told).decode("utf-8")
